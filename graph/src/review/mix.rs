//! What one player can make of all that it learns: which values no combination takes apart.
//!
//! All that one player learns makes a matrix, a row a reveal, a column a shared value. Values with
//! proportional columns stay together in every combination of the rows: none shows one without the
//! others. The judgement takes some harmless programs for harmful, never a harmful one for
//! harmless, and takes time in proportion to the matrix.
//!
//! To what is revealed to a player belongs what is revealed to players that release: they may hand
//! it on. A multiple hides others only if it can be seen beside them: one that was ever too small,
//! or too large for the ring, does not count. Nor does what was revealed to somebody and shared
//! again, nor anyone's data that is in it, since one may cancel the other.

use std::collections::{BTreeMap, BTreeSet};

use super::follow::{Followed, MOST_WORK, Symbol, Term};
use crate::PlayerName;
use crate::graph::{NodeId, Port};

/// Values, or players, that no combination of the reveals takes apart.
#[derive(Debug)]
pub(crate) struct Group<'a> {
    pub(crate) owners: BTreeSet<&'a PlayerName>,
    /// Those of the owners whose data hides that of the others.
    pub(crate) hiding: BTreeSet<&'a PlayerName>,
    /// The reveals that they are in, at least one.
    pub(crate) reveals: Vec<NodeId>,
}

/// A shared value in what a player learns.
struct Column<'a> {
    /// Who stands behind it and has something to hide from the player.
    owners: BTreeSet<&'a PlayerName>,
    /// The reveals that it is in, in order, with its factor there.
    terms: Vec<(usize, Term)>,
    /// Those of the owners whose data hides that of others; nobody's if something that was revealed
    /// is in it.
    hiding: BTreeSet<&'a PlayerName>,
}

/// The groups of all that `to` learns; `None` when there is too much to look at.
pub(crate) fn groups<'a>(
    followed: &'a mut Followed<'_>,
    to: &PlayerName,
) -> Option<Vec<Group<'a>>> {
    let Followed { graph, symbols, reveals, work, .. } = followed;
    let policy = &graph.setup().policy;
    let hidden = |owner: &&PlayerName| *owner != to && !policy.releases.contains(owner);
    let learns = |id: NodeId| {
        graph.node(id).place.player().is_some_and(|p| p == to || policy.releases.contains(p))
    };
    let mut columns: BTreeMap<Port, Column<'a>> = BTreeMap::new();
    let mut echoed: BTreeSet<&PlayerName> = BTreeSet::new();
    for (row, (_, form)) in reveals.iter().enumerate().filter(|(_, (id, _))| learns(*id)) {
        for (port, term) in form {
            let column = columns.entry(*port).or_insert_with(|| {
                let Symbol { owners, hiding, echoes } = &symbols[port];
                *work += owners.len() + echoes.len();
                // What the player itself, or everyone, was told is a row of its own.
                let unknown = echoes.iter().filter(|(told, owner)| hidden(&told) && hidden(&owner));
                let unknown: Vec<_> = unknown.map(|(_, owner)| owner).collect();
                echoed.extend(&unknown);
                let owners = owners.iter().filter(&hidden).collect();
                let hiding = hiding.iter().filter(|owner| unknown.is_empty() && hidden(owner));
                Column { owners, terms: vec![], hiding: hiding.collect() }
            });
            column.terms.push((row, *term));
            *work += column.owners.len();
        }
        if *work > MOST_WORK {
            return None;
        }
    }
    let columns: Vec<_> = columns.into_values().filter(|c| !c.owners.is_empty()).collect();
    let id = |row: usize| reveals[row].0;
    let groups = groups_of_values(&columns, id).chain(groups_of_players(&columns, id));
    let hide = |mut group: Group<'a>| {
        group.hiding.retain(|owner| !echoed.contains(owner));
        group
    };
    Some(groups.map(hide).collect())
}

/// Values whose columns are proportional.
fn groups_of_values<'a>(
    columns: &[Column<'a>],
    id: impl Fn(usize) -> NodeId,
) -> impl Iterator<Item = Group<'a>> {
    let mut groups: BTreeMap<Vec<(usize, u64)>, Vec<&Column<'a>>> = BTreeMap::new();
    for column in columns {
        let first = column.terms[0].1.factor;
        // Rounding can only take apart what belongs together, which refuses more.
        let direction = |&(row, term): &(usize, Term)| (row, (term.factor / first).to_bits());
        groups.entry(column.terms.iter().map(direction).collect()).or_default().push(column);
    }
    let group = move |(direction, columns): (Vec<(usize, u64)>, Vec<&Column<'a>>)| {
        let largest = columns.iter().map(|c| c.terms[0].1.factor.abs()).fold(0.0, f64::max);
        let visible = |column: &&&Column<'a>| {
            let kept = column.terms.iter().map(|(_, term)| term.kept()).fold(1.0, f64::min);
            column.terms[0].1.is_visible(kept, largest)
        };
        let owners = |column: &&Column<'a>| column.owners.clone();
        Group {
            owners: columns.iter().flat_map(owners).collect(),
            hiding: columns.iter().filter(visible).flat_map(|c| c.hiding.clone()).collect(),
            reveals: direction.into_iter().map(|(row, _)| id(row)).collect(),
        }
    };
    groups.into_iter().map(group)
}

/// Players whose values, all together, are in the same reveals.
fn groups_of_players<'a>(
    columns: &[Column<'a>],
    id: impl Fn(usize) -> NodeId,
) -> impl Iterator<Item = Group<'a>> {
    let mut rows: BTreeMap<&PlayerName, BTreeSet<usize>> = BTreeMap::new();
    let mut hiding: BTreeSet<&PlayerName> = BTreeSet::new();
    for column in columns {
        for &owner in &column.owners {
            rows.entry(owner).or_default().extend(column.terms.iter().map(|(row, _)| row));
        }
        hiding.extend(&column.hiding);
    }
    let mut groups: BTreeMap<BTreeSet<usize>, BTreeSet<&PlayerName>> = BTreeMap::new();
    for (owner, rows) in rows {
        groups.entry(rows).or_default().insert(owner);
    }
    groups.into_iter().map(move |(rows, owners)| Group {
        hiding: owners.intersection(&hiding).copied().collect(),
        owners,
        reveals: rows.into_iter().map(&id).collect(),
    })
}
