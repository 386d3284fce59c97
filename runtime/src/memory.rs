//! How much memory the values of a plan may take on a player.

use sordino_graph::Node;

use crate::schedule::Schedule;

/// What the values of one step of a plan may have, in bytes, unless the operator says otherwise: what
/// the machine has, or the system lets the process have. No bound where the system does not tell.
#[must_use]
pub fn of_machine() -> u64 {
    let machine = std::fs::read_to_string("/proc/meminfo").ok().and_then(|text| total(&text));
    let group = std::fs::read_to_string("/sys/fs/cgroup/memory.max").ok();
    let group = group.and_then(|text| text.trim().parse().ok());
    machine.into_iter().chain(group).min().unwrap_or(u64::MAX)
}

/// Bytes, as `/proc/meminfo` says.
fn total(text: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}

/// Checks a player's part of a plan.
///
/// # Errors
/// A sentence about the player, if the values of one step have more than `most` bytes together.
pub(crate) fn check(schedule: &Schedule, most: u64) -> Result<(), String> {
    let part = &schedule.graph;
    let bytes = |node: &Node| {
        node.outputs.iter().fold(0_u64, |sum, ty| sum.saturating_add(ty.bytes() as u64))
    };
    let all = part.nodes().fold(0_u64, |sum, (_, node)| sum.saturating_add(bytes(node)));
    if all <= most {
        return Ok(());
    }
    let largest = part.nodes().max_by_key(|(_, node)| bytes(node));
    let largest = largest.map(|(id, node)| {
        let types: Vec<_> = node.outputs.iter().map(ToString::to_string).collect();
        format!("{}, {}, has {}", schedule.place_of(id.index()), types.join(", "), mib(bytes(node)))
    });
    Err(format!(
        "gives {} to the values of a step, and those of {} have {} here; {}. Start it with more \
         --memory, or make the program's tensors smaller",
        mib(most),
        part.name(),
        mib(all),
        largest.unwrap_or_default()
    ))
}

fn mib(bytes: u64) -> String {
    format!("{} MiB", bytes.div_ceil(1 << 20))
}

#[cfg(test)]
mod tests {
    use sordino_graph::{Function, PlayerName, Setup};
    use sordino_ops::{Plan, publish, zeros};

    use super::*;

    #[test]
    fn a_plan_that_is_too_large_is_refused_by_its_largest_node() {
        let ann = PlayerName::new("ann").unwrap();
        let setup = Setup::new([ann.clone()]).release(&ann);
        let program = Function::new("fill", "", |g| {
            g.scope("small", || publish("small", zeros(g, &ann, &[1 << 10])));
            g.scope("vast", || publish("vast", zeros(g, &ann, &[1 << 15, 1 << 16])));
        });
        let plan = Plan::new(program.record(&setup).unwrap()).unwrap();
        let schedule = Schedule::new(plan.parts[&ann].clone()).unwrap();
        let check = |most| check(&schedule, most);
        let sum = (1 << 33) + (1 << 12);
        assert_eq!(check(sum), Ok(()));
        let refusal = check(sum - 1).unwrap_err();
        for part in ["fill", "vast/zeros", "memory.rs:", "[32768,65536]", "8192 MiB", "--memory"] {
            assert!(refusal.contains(part), "{refusal} does not say {part}");
        }
    }

    #[test]
    fn what_the_machine_has() {
        assert_eq!(total("MemTotal:       24566992 kB\nMemFree: 1 kB\n"), Some(24_566_992 << 10));
        assert_eq!(total("MemFree: 1 kB\n"), None);
        assert!(of_machine() > 1 << 20);
    }
}
