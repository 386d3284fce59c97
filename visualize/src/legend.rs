//! HTML-like tables of Graphviz: the legend, and boxes in the colours of several players.

use crate::model::{Block, BlockKind, EdgeKind, Portion, View};
use crate::quote::html;
use crate::style::{FRAME, INK, Line, SOFT_INK, line, player_colour};

/// Names of players in one row of the legend.
const PLAYERS_A_ROW: usize = 4;

/// What the picture is of, a colour a player, and the meaning of the kinds of edges in it.
pub(crate) fn legend(view: &View) -> String {
    let what = match &view.player {
        Some(player) => format!("local view of {player}"),
        None => "overall view".to_owned(),
    };
    let mut rows = vec![format!(
        r#"<FONT POINT-SIZE="15"><B>{}</B></FONT> · {}"#,
        html(&view.name),
        html(&what)
    )];
    let pills: Vec<_> = (0..view.players.len()).map(|player| pill(view, player)).collect();
    let across = pills.len().div_ceil(pills.len().div_ceil(PLAYERS_A_ROW).max(1));
    rows.extend(pills.chunks(across.max(1)).map(row));
    let kinds = [EdgeKind::Plain, EdgeKind::Secret, EdgeKind::Reveal, EdgeKind::Update];
    let shown = kinds.iter().filter(|&&kind| view.edges.iter().any(|edge| edge.kind == kind));
    let lines: Vec<_> = shown.map(|&kind| sample(&line(kind))).collect();
    rows.extend(lines.chunks(2).map(row));
    let rows: String = rows.iter().map(|row| format!("<TR><TD>{row}</TD></TR>")).collect();
    format!(r#"<<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="3">{rows}</TABLE>>"#)
}

fn row(cells: &[String]) -> String {
    let cells: String = cells.iter().map(|cell| format!("<TD>{cell}</TD>")).collect();
    format!(
        r#"<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="4" CELLPADDING="0"><TR>{cells}</TR></TABLE>"#
    )
}

/// A player's name on its colour.
fn pill(view: &View, player: usize) -> String {
    let name = html(view.players[player].as_str());
    let own = view.player.as_ref() == Some(&view.players[player]);
    let name = if own { format!("<B>{name}</B>") } else { name };
    format!(
        concat!(
            r#"<TABLE BORDER="1" CELLBORDER="0" CELLSPACING="0" CELLPADDING="4" STYLE="ROUNDED" "#,
            r#"COLOR="{frame}" BGCOLOR="{colour}"><TR><TD>"#,
            r#"<FONT COLOR="{ink}"> {name} </FONT></TD></TR></TABLE>"#
        ),
        frame = FRAME,
        colour = player_colour(player),
        ink = INK,
        name = name
    )
}

/// A piece of line with its meaning.
fn sample(line: &Line) -> String {
    let stroke = |height: u32, colour: &str| {
        let fill =
            if colour.is_empty() { String::new() } else { format!(r#" BGCOLOR="{colour}""#) };
        format!(r#"<TR><TD WIDTH="26" HEIGHT="{height}" FIXEDSIZE="TRUE"{fill}></TD></TR>"#)
    };
    let strokes = if line.double {
        [stroke(2, line.colour), stroke(2, ""), stroke(2, line.colour)].concat()
    } else {
        stroke(2, line.colour)
    };
    format!(
        concat!(
            r#"<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="0"><TR><TD>"#,
            r#"<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="0">{strokes}</TABLE>"#,
            r#"</TD><TD><FONT COLOR="{colour}">{glyph}</FONT></TD>"#,
            r#"<TD CELLPADDING="3"><FONT COLOR="{ink}">{meaning}  </FONT></TD></TR></TABLE>"#
        ),
        strokes = strokes,
        colour = line.colour,
        glyph = line.glyph,
        ink = SOFT_INK,
        meaning = line.meaning
    )
}

/// The label of a box of several players: its name over a band of their colours, each as wide as
/// its part of the nodes.
///
/// Graphviz 2 cannot stripe a box with round corners, and a name across stripes reads badly.
pub(crate) fn banded(block: &Block) -> String {
    let folded = block.kind == BlockKind::Folded;
    let (height, padding, letter) = if folded { (15, 5, 9) } else { (8, 2, 7) };
    let width = (block.label.chars().count() * letter).max(60);
    let cells: String = widths(&block.portions, width)
        .iter()
        .zip(&block.portions)
        .map(|(width, portion)| {
            let colour = player_colour(portion.player);
            format!(
                concat!(
                    r#"<TD WIDTH="{}" HEIGHT="{}" FIXEDSIZE="TRUE" BORDER="1" COLOR="{}" "#,
                    r#"BGCOLOR="{}"></TD>"#
                ),
                width, height, FRAME, colour
            )
        })
        .collect();
    format!(
        concat!(
            r#"<<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="0"><TR>"#,
            r#"<TD CELLPADDING="{padding}">{label}</TD></TR><TR><TD>"#,
            r#"<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="0">"#,
            r#"<TR>{cells}</TR></TABLE></TD></TR></TABLE>>"#
        ),
        padding = padding,
        label = html(&block.label),
        cells = cells
    )
}

/// Widths in points that sum to about `total`; a small part is still seen.
fn widths(portions: &[Portion], total: usize) -> Vec<usize> {
    let nodes = portions.iter().map(|portion| portion.nodes).sum::<usize>().max(1);
    portions.iter().map(|portion| (portion.nodes * total / nodes).max(4)).collect()
}
