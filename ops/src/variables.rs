//! What variables hold between plans: a plan that reads one as another type is refused before it
//! runs.

use std::collections::HashMap;
use std::fmt;

use sordino_graph::{Element, Graph, Node, NodeId, Place, PlayerName, Role, SourceLine, Type};

use crate::op;

/// The types of variables, as far as plans that were run say them.
#[derive(Debug, Clone, Default)]
pub struct Variables(HashMap<Variable, Type>);

/// A variable, as programs name it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Variable {
    place: Place,
    name: String,
    /// Of a secret one: from whose data it derives, sorted.
    owners: Vec<PlayerName>,
}

/// A plan uses a variable as another type than it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VariableError {
    /// Name of the variable.
    pub variable: String,
    /// Where it is.
    pub place: Place,
    /// What it holds by then.
    pub holds: Type,
    /// What the node takes.
    pub takes: Type,
    /// Name of the node in its function.
    pub node: String,
    /// The program's line that recorded the node.
    pub line: Option<SourceLine>,
}

impl std::error::Error for VariableError {}

impl fmt::Display for VariableError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { variable, place, holds, takes, node, line } = self;
        write!(f, "{node}")?;
        if let Some(line) = line {
            write!(f, " ({line})")?;
        }
        write!(
            f,
            " takes the variable {variable} {place} as {takes}, but it holds {holds}: \
             use it as it was assigned"
        )
    }
}

impl Variables {
    /// Goes through `steps` steps of a recorded graph. What nothing has assigned yet is taken to be
    /// what it is first read as.
    ///
    /// # Errors
    /// [`VariableError`] for the first node that a variable does not fit.
    pub fn run(&mut self, recorded: &Graph, steps: u64) -> Result<(), Box<VariableError>> {
        // Later steps find what the first one leaves.
        for _ in 0..steps.min(2) {
            for (id, node) in recorded.nodes() {
                self.step(recorded, id, node)?;
            }
        }
        Ok(())
    }

    fn step(&mut self, graph: &Graph, id: NodeId, node: &Node) -> Result<(), Box<VariableError>> {
        let input = || node.inputs.first().and_then(|&port| graph.ty(port));
        let (ty, checked) = match node.op.role {
            Role::ReadVariable => (node.outputs.first().cloned(), true),
            Role::AssignVariable if node.op.name == op::descend::OP.spec.name => {
                (input().map(|ty| ty.with_element(Element::F32)), true)
            }
            Role::AssignVariable => (input().cloned(), false),
            _ => return Ok(()),
        };
        let Some(takes) = ty else { return Ok(()) };
        let variable = Variable::of(node);
        match self.0.get(&variable) {
            Some(holds) if checked && *holds != takes => Err(Box::new(VariableError {
                variable: variable.name,
                place: variable.place,
                holds: holds.clone(),
                takes,
                node: graph.node_names().swap_remove(id.index()),
                line: node.source.clone(),
            })),
            _ => {
                self.0.insert(variable, takes);
                Ok(())
            }
        }
    }
}

impl Variable {
    fn of(node: &Node) -> Self {
        let name = node.attributes.text("variable").unwrap_or_default().to_owned();
        let mut owners = node.attributes.players("owners").unwrap_or_default().to_vec();
        owners.sort_unstable();
        owners.dedup();
        Self { place: node.place.clone(), name, owners }
    }
}

#[cfg(test)]
mod tests {
    use sordino_graph::{Fixed, Recording, Setup, record};

    use super::*;
    use crate::op::{assign, assign_secret, descend, read_secret, read_variable, share, zeros};
    use crate::testing::{me, shape};

    fn graph(program: impl FnOnce(&Recording<'_>)) -> Graph {
        let servers = ["server0", "server1", "server2"].map(|name| PlayerName::new(name).unwrap());
        let setup = Setup::new([me()]).secure("ABY3", servers, Fixed::LOW);
        record("program", &setup, |g| program(g)).unwrap()
    }

    fn floats(axes: &[usize]) -> Type {
        Type::plain(Element::F32, shape(axes))
    }

    fn assigned(axes: &[usize]) -> Graph {
        graph(|g| assign("w", zeros(g, me(), axes)))
    }

    fn read(axes: &[usize]) -> Graph {
        graph(|g| {
            read_variable(g, &me(), "w", &floats(axes));
        })
    }

    #[test]
    fn a_variable_is_read_as_it_was_assigned_last() {
        let mut variables = Variables::default();
        variables.run(&assigned(&[2, 3]), 1).unwrap();
        variables.run(&read(&[2, 3]), 5).unwrap();
        let error = variables.run(&read(&[3, 2]), 1).unwrap_err().to_string();
        let parts = ["read_variable (", "variables.rs:", "variable w @me", "f32[3,2]", "f32[2,3]"];
        assert!(parts.iter().all(|part| error.contains(part)), "{error}");
        variables.run(&assigned(&[3, 2]), 1).unwrap();
        variables.run(&read(&[3, 2]), 1).unwrap();
        // Nothing runs, and nothing is assigned.
        variables.run(&assigned(&[7]), 0).unwrap();
        variables.run(&read(&[3, 2]), 1).unwrap();
    }

    #[test]
    fn the_second_step_finds_what_the_first_leaves() {
        let changes = graph(|g| {
            read_variable(g, &me(), "w", &floats(&[2]));
            assign("w", zeros(g, me(), &[3]));
        });
        Variables::default().run(&changes, 1).unwrap();
        let error = Variables::default().run(&changes, 2).unwrap_err();
        assert_eq!((error.holds, error.takes), (floats(&[3]), floats(&[2])));
    }

    #[test]
    fn a_descent_is_of_the_variables_shape() {
        let mut variables = Variables::default();
        variables.run(&assigned(&[2]), 1).unwrap();
        variables.run(&graph(|g| descend("w", 0.1, zeros(g, me(), &[2]))), 3).unwrap();
        let error = variables.run(&graph(|g| descend("w", 0.1, zeros(g, me(), &[1]))), 1);
        assert_eq!(error.unwrap_err().takes, floats(&[1]));
    }

    #[test]
    fn secrets_of_other_owners_are_other_variables() {
        let other = PlayerName::new("server1").unwrap();
        let ty = |axes: &[usize]| Type::secret(Fixed::LOW, shape(axes));
        let read = |axes, owners: &[PlayerName]| {
            graph(|g| {
                read_secret(g, "w", &ty(axes), owners);
            })
        };
        let kept =
            graph(|g| assign_secret("w", share(zeros(g, me(), &[2])), &[me(), other.clone()]));
        let mut variables = Variables::default();
        variables.run(&kept, 1).unwrap();
        variables.run(&read(&[5], &[me()]), 1).unwrap();
        let error = variables.run(&read(&[5], &[other.clone(), me()]), 1).unwrap_err();
        assert_eq!((error.holds, error.takes), (ty(&[2]), ty(&[5])));
        variables.run(&read(&[2], &[other, me()]), 1).unwrap();
    }
}
