//! `load_batch()`: the next batch of a player's own data.

use sordino_graph::{
    AttributeKind, Attributes, Element, PlayerName, Recording, Role, Signature, Type, TypeError,
    Value, type_error,
};

use crate::data::store::{BatchRequest, Dataset};
use crate::kernel::{Context, KernelError, Op};
use crate::rules;
use crate::value::Tensor;

/// Examples and labels, i32`[batch]`, of step `t` of the player's own files; examples are images,
/// f32`[batch,28,28,1]` in 0..=1, or what the data set has.
///
/// A step is a batch; an epoch is as many steps as there are whole batches, and what is left over
/// is dropped. With a shuffle seed each epoch is a fresh permutation of the examples; without,
/// batches come in the order of the file. The player reads its own disk: the graph names the data
/// set and a range of examples, never a path.
#[track_caller]
pub fn load_batch<'r>(
    g: &Recording<'r>,
    player: &PlayerName,
    request: &BatchRequest,
) -> (Value<'r>, Value<'r>) {
    let op = g.op(&OP.spec).attr("dataset", request.dataset.name());
    let op = op.attr("split", request.split.name());
    let op = op.attr("start", request.range.start).attr("end", request.range.end);
    let op = op.attr("batch", request.batch).attr("shuffle", request.shuffle.is_some());
    let op = op.attr("seed", request.shuffle.unwrap_or(0)).at(player);
    match op.build_all()[..] {
        [examples, labels] => (examples, labels),
        // The fault is recorded; any faulty value silences what follows.
        _ => {
            let faulty = g.op(&OP.spec).at(player).build();
            (faulty, faulty)
        }
    }
}

/// See [`load_batch()`].
pub static OP: Op = Op::new("load_batch", Role::PrivateInput, infer, kernel).attributes(&[
    ("batch", AttributeKind::Int),
    ("dataset", AttributeKind::Text),
    ("end", AttributeKind::Int),
    ("seed", AttributeKind::Int),
    ("shuffle", AttributeKind::Flag),
    ("split", AttributeKind::Text),
    ("start", AttributeKind::Int),
]);

/// The request that the attributes of a node are.
pub(crate) fn request(attributes: &Attributes) -> Result<BatchRequest, TypeError> {
    let s = Signature { inputs: &[], attributes };
    let text = |name| s.attributes.text(name).unwrap_or_default();
    let Some(dataset) = Dataset::from_name(text("dataset")) else {
        return type_error!("knows the datasets {}", Dataset::names());
    };
    let Some(split) = crate::data::store::split_from_name(text("split")) else {
        return type_error!("knows the splits train and test");
    };
    let range = s.size("start")?..s.size("end")?;
    let batch = s.size("batch")?;
    let seed = u32::try_from(s.size("seed")?).map_err(|e| TypeError(e.to_string()))?;
    let shuffle = s.attributes.flag("shuffle").unwrap_or_default().then_some(seed);
    if range.start >= range.end || range.end > dataset.examples(split) {
        return type_error!("takes a range within 0..{}", dataset.examples(split));
    }
    if batch == 0 || batch > range.len() {
        return type_error!("takes a batch of 1 to {} examples", range.len());
    }
    Ok(BatchRequest { dataset, split, range, batch, shuffle })
}

fn infer(s: &Signature<'_>) -> Result<Vec<Type>, TypeError> {
    s.inputs::<0>()?;
    let BatchRequest { dataset, batch, .. } = request(s.attributes)?;
    let shape = |axes: &[usize]| rules::shape(axes);
    Ok(vec![
        Type::plain(Element::F32, shape(&[&[batch], dataset.shape()].concat())?),
        Type::plain(Element::I32, shape(&[batch])?),
    ])
}

fn kernel(cx: &Context<'_>, _: Vec<Tensor>) -> Result<Vec<Tensor>, KernelError> {
    let request = request(&cx.node.attributes)?;
    let (examples, labels) = cx.host.batch(&request, cx.step)?;
    Ok(vec![examples, labels])
}
