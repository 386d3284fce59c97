//! How much memory sessions may take of a player: for the values of a step, and for variables.

mod room;

use sordino_graph::{Graph, Node, Role};
use sordino_ops::Tensor;

use self::room::Full;
pub(crate) use self::room::{Room, Share};
use crate::checkpoint::Variables;
use crate::schedule::Schedule;

/// What sessions may take together, in bytes, unless the operator says otherwise: what the machine has,
/// or the system lets the process have. No bound where the system does not tell.
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

/// Takes room for a player's part of a plan.
///
/// # Errors
/// A sentence about the player, if there is not as much: for the values of one step, all together,
/// beside what the session's variables have and what other sessions do.
pub(crate) fn reserve(schedule: &Schedule, share: &Share) -> Result<(), String> {
    let part = &schedule.graph;
    let bytes = |node: &Node| {
        node.outputs.iter().fold(0_u64, |sum, ty| sum.saturating_add(ty.bytes() as u64))
    };
    let all = part.nodes().fold(0_u64, |sum, (_, node)| sum.saturating_add(bytes(node)));
    let Err(full) = share.take(all, variables(part)) else { return Ok(()) };
    let largest = part.nodes().max_by_key(|(_, node)| bytes(node));
    let largest = largest.map(|(id, node)| {
        let types: Vec<_> = node.outputs.iter().map(ToString::to_string).collect();
        format!("{}, {}, has {}", schedule.place_of(id.index()), types.join(", "), mib(bytes(node)))
    });
    Err(format!("{}; {}. {ADVICE}", short_of(part.name(), &full), largest.unwrap_or_default()))
}

/// Takes room for the variables that a session goes on with.
///
/// # Errors
/// As [`reserve`].
pub(crate) fn reserve_variables(variables: &Variables, share: &Share) -> Result<(), String> {
    let bytes = |(name, value): (&String, &Tensor)| (name.clone(), value.as_bytes().len() as u64);
    let taken = share.take(0, variables.iter().map(bytes));
    taken.map_err(|full| format!("{}. {ADVICE}", short_of("the checkpoint", &full)))
}

/// What to do.
const ADVICE: &str = "Start it with more --memory, or make the program's tensors smaller";

fn short_of(of: &str, Full { most, step, variables, others }: &Full) -> String {
    format!(
        "gives {} to sessions, and {of} needs {} for the values of a step and {} for variables, \
         beside {} of other sessions",
        mib(*most),
        mib(*step),
        mib(*variables),
        mib(*others)
    )
}

/// Bytes of each variable that a player's part of a plan reads or sets.
fn variables(part: &Graph) -> Vec<(String, u64)> {
    let sizes = part.nodes().filter_map(|(_, node)| {
        let uses = matches!(node.op.role, Role::ReadVariable | Role::AssignVariable);
        let name = node.attributes.text("variable").filter(|_| uses)?;
        let inputs = node.inputs.iter().filter_map(|port| part.ty(*port));
        let most = inputs.chain(&node.outputs).map(|ty| ty.bytes() as u64).max()?;
        Some((name.to_owned(), most))
    });
    sizes.collect()
}

fn mib(bytes: u64) -> String {
    format!("{} MiB", bytes.div_ceil(1 << 20))
}

#[cfg(test)]
mod tests {
    use sordino_graph::{Element, Function, PlayerName, Setup, Shape, Type};
    use sordino_ops::{Plan, assign, descend, publish, zeros};

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
        let check = |most| reserve(&schedule, &Share::of(&Room::new(most)));
        let sum = (1 << 33) + (1 << 12);
        assert_eq!(check(sum), Ok(()));
        let refusal = check(sum - 1).unwrap_err();
        for part in ["fill", "vast/zeros", "memory.rs:", "[32768,65536]", "8192 MiB", "--memory"] {
            assert!(refusal.contains(part), "{refusal} does not say {part}");
        }
    }

    #[test]
    fn variables_are_counted_once() {
        let ann = PlayerName::new("ann").unwrap();
        let setup = Setup::new([ann.clone()]).release(&ann);
        let program = Function::new("train", "", |g| {
            assign("w", zeros(g, &ann, &[1 << 10]));
            descend("v", 0.5, zeros(g, &ann, &[1 << 8]));
        });
        let plan = Plan::new(program.record(&setup).unwrap()).unwrap();
        let schedule = Schedule::new(plan.parts[&ann].clone()).unwrap();
        let bytes = (1 << 12) + (1 << 10);
        let share = Share::of(&Room::new(2 * bytes));
        assert_eq!(reserve(&schedule, &share), Ok(()));
        assert_eq!(reserve(&schedule, &share), Ok(()));
        let kept = |name: &str, ty: &Type| Variables::from([(name.to_owned(), Tensor::zeros(ty))]);
        let ty = Type::plain(Element::F32, Shape::new(&[1 << 10]).unwrap());
        assert_eq!(reserve_variables(&kept("w", &ty), &share), Ok(()));
        let refusal = reserve_variables(&kept("u", &ty), &share).unwrap_err();
        assert!(refusal.contains("the checkpoint needs"), "{refusal}");
        let refusal = reserve(&schedule, &Share::of(&Room::new(2 * bytes - 1))).unwrap_err();
        assert!(refusal.contains("train needs"), "{refusal}");
    }

    #[test]
    fn what_the_machine_has() {
        assert_eq!(total("MemTotal:       24566992 kB\nMemFree: 1 kB\n"), Some(24_566_992 << 10));
        assert_eq!(total("MemFree: 1 kB\n"), None);
        assert!(of_machine() > 1 << 20);
    }
}
