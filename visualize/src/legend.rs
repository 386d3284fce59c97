//! HTML-like tables of Graphviz: the legend, and boxes in the colours of several players.

use crate::model::{Block, BlockKind, EdgeKind, Portion, View};
use crate::quote::html;
use crate::style::{FRAME, Line, SOFT_INK, line, player_colour};

/// Names of players in one row of the legend.
const PLAYERS_A_ROW: usize = 4;

/// What the picture is of, a colour a player, and the meaning of the kinds of edges in it.
pub(crate) fn legend(view: &View) -> String {
    let what = match &view.player {
        Some(player) => format!("local view of {player}"),
        None => "overall view".to_owned(),
    };
    let title = format!(
        r#"<B>{}</B><FONT COLOR="{SOFT_INK}">&#160;· {}</FONT>"#,
        html(&view.name),
        html(&what)
    );
    let mut rows = vec![title];
    let pills: Vec<_> = (0..view.players.len()).map(|player| pill(view, player)).collect();
    // Rows of about the same length: seven are four and three, not six and one.
    let count = pills.len().div_ceil(PLAYERS_A_ROW).max(1);
    let across = pills.len().div_ceil(count).max(1);
    rows.extend(pills.chunks(across).map(|pills| table(5, &[pills.concat()])));
    let kinds = [EdgeKind::Plain, EdgeKind::Secret, EdgeKind::Update, EdgeKind::Reveal];
    let shown = kinds.iter().filter(|&&kind| view.edges.iter().any(|edge| edge.kind == kind));
    let lines: Vec<_> = shown.map(|&kind| sample(&line(kind))).collect();
    if !lines.is_empty() {
        rows.push(table(3, &lines.chunks(2).map(<[_]>::concat).collect::<Vec<_>>()));
    }
    // The first row keeps the legend away from the boxes.
    let rows = rows.iter().map(|row| format!("<TD>{row}</TD>"));
    let rows: Vec<_> = std::iter::once(r#"<TD HEIGHT="12"></TD>"#.to_owned()).chain(rows).collect();
    format!("<{}>", table(0, &rows))
}

/// A table without lines; each row is a string of cells.
fn table(spacing: u32, rows: &[String]) -> String {
    let rows: String = rows.iter().map(|cells| format!("<TR>{cells}</TR>")).collect();
    format!(
        r#"<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="{spacing}" CELLPADDING="0">{rows}</TABLE>"#
    )
}

/// A player's name on its colour: one cell.
fn pill(view: &View, player: usize) -> String {
    let name = html(view.players[player].as_str());
    let own = view.player.as_ref() == Some(&view.players[player]);
    let name = if own { format!("<B>{name}</B>") } else { name };
    let colour = player_colour(player);
    format!(
        concat!(
            r#"<TD><TABLE BORDER="1" CELLBORDER="0" CELLSPACING="0" CELLPADDING="5" "#,
            r#"STYLE="ROUNDED" COLOR="{}" BGCOLOR="{}"><TR><TD>{}</TD></TR></TABLE></TD>"#
        ),
        FRAME, colour, name
    )
}

/// A piece of line and its meaning: three cells.
fn sample(line: &Line) -> String {
    // A double line is the upper and the lower border of a flat cell.
    let (height, stroke) = if line.double {
        (5, format!(r#"SIDES="TB" BORDER="1" COLOR="{}""#, line.colour))
    } else {
        (2, format!(r#"BGCOLOR="{}""#, line.colour))
    };
    format!(
        concat!(
            r#"<TD FIXEDSIZE="TRUE" WIDTH="28" HEIGHT="{height}" {stroke}></TD>"#,
            r#"<TD ALIGN="LEFT"><FONT COLOR="{colour}">{glyph}</FONT></TD>"#,
            r#"<TD ALIGN="LEFT"><FONT COLOR="{ink}">{meaning}</FONT></TD>"#
        ),
        height = height,
        stroke = stroke,
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

/// The label of an edge that crosses the frame of a cluster: the frame shows through faintly.
pub(crate) fn veiled(label: &str) -> String {
    format!(
        concat!(
            r##"<<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="0"><TR>"##,
            r##"<TD WIDTH="5"></TD><TD BGCOLOR="#f9fafbd0">{}</TD></TR></TABLE>>"##
        ),
        html(label)
    )
}

/// Widths in points that sum to about `total`; a small part is still seen.
fn widths(portions: &[Portion], total: usize) -> Vec<usize> {
    let nodes = portions.iter().map(|portion| portion.nodes).sum::<usize>().max(1);
    portions.iter().map(|portion| (portion.nodes * total / nodes).max(4)).collect()
}
