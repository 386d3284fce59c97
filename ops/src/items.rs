//! Kernels that are the same for several types of elements.
//!
//! Such a kernel is a function generic over [`Item`]: whatever a tensor holds, or, with the bounds
//! [`Number`](crate::tensor::number::Number) and [`Float`](crate::tensor::number::Float), some of
//! it. [`for_items!`], [`for_numbers!`], [`for_floats!`] and [`for_rings!`] call it for the type that a
//! tensor has.

use sordino_graph::Shape;

use crate::kernel::{Context, KernelError};
use crate::tensor::arrange::{View, copy};
use crate::value::{Elements, Tensor, TensorRing, slice, slice_mut};

/// What tensors hold.
pub(crate) trait Item: Copy + Default + Send + Sync + 'static {
    /// The elements of a tensor of this type.
    fn items(tensor: &Tensor) -> Option<&[Self]>;
    /// The elements of a tensor of this type, copied first if shared.
    fn items_mut(tensor: &mut Tensor) -> Option<&mut [Self]>;
    /// A tensor of these elements, which are as many as the shape holds.
    fn tensor(shape: &Shape, items: Vec<Self>) -> Tensor;
    /// That many zeros.
    fn zeros(n: usize) -> Vec<Self> {
        vec![Self::default(); n]
    }
}

macro_rules! array_item {
    ($type:ident, $variant:ident) => {
        impl Item for $type {
            fn items(tensor: &Tensor) -> Option<&[Self]> {
                if let Tensor::$variant(x) = tensor { Some(slice(x)) } else { None }
            }
            fn items_mut(tensor: &mut Tensor) -> Option<&mut [Self]> {
                if let Tensor::$variant(x) = tensor { Some(slice_mut(x)) } else { None }
            }
            fn tensor(shape: &Shape, items: Vec<Self>) -> Tensor {
                Tensor::$type(shape, items)
            }
        }
    };
}

array_item!(f32, F32);
array_item!(f64, F64);
array_item!(i32, I32);

macro_rules! ring_item {
    ($type:ident, $variant:ident) => {
        impl Item for $type {
            fn items(tensor: &Tensor) -> Option<&[Self]> {
                if let Tensor::$variant(x) = tensor { Some(x.as_slice()) } else { None }
            }
            fn items_mut(tensor: &mut Tensor) -> Option<&mut [Self]> {
                if let Tensor::$variant(x) = tensor { Some(x.make_mut()) } else { None }
            }
            fn tensor(shape: &Shape, items: Vec<Self>) -> Tensor {
                Tensor::$variant(Elements::new(shape.clone(), items))
            }
            fn zeros(n: usize) -> Vec<Self> {
                <Self as TensorRing>::spares().zeros(n)
            }
        }
    };
}

ring_item!(u64, Ring64);
ring_item!(u128, Ring128);

macro_rules! for_types {
    (
        $tensor:expr, $T:ident => $body:expr,
        [$($variant:ident: $type:ident),*] $(, else $other:expr)?
    ) => {
        match $tensor {
            $($crate::value::Tensor::$variant(_) => {
                type $T = $type;
                $body
            })*
            $(_ => $other,)?
        }
    };
}

/// `for_items!(tensor, T => expression)`: the expression, in which `T` is the type of the tensor's
/// elements.
macro_rules! for_items {
    ($tensor:expr, $T:ident => $body:expr) => {
        $crate::items::for_types!(
            $tensor, $T => $body,
            [F32: f32, F64: f64, I32: i32, Ring64: u64, Ring128: u128]
        )
    };
}

/// As [`for_items!`], for floats and ring elements; integers are a bug.
macro_rules! for_numbers {
    ($cx:expr, $tensor:expr, $T:ident => $body:expr) => {
        $crate::items::for_types!(
            $tensor, $T => $body,
            [F32: f32, F64: f64, Ring64: u64, Ring128: u128], else $cx.bug("got no numbers")
        )
    };
}

/// As [`for_items!`], for floats; anything else is a bug.
macro_rules! for_floats {
    ($cx:expr, $tensor:expr, $T:ident => $body:expr) => {
        $crate::items::for_types!(
            $tensor, $T => $body, [F32: f32, F64: f64], else $cx.bug("got no floats")
        )
    };
}

/// As [`for_items!`], for ring elements; anything else is a bug.
macro_rules! for_rings {
    ($cx:expr, $tensor:expr, $R:ident => $body:expr) => {
        $crate::items::for_types!(
            $tensor, $R => $body, [Ring64: u64, Ring128: u128], else $cx.bug("got no shares")
        )
    };
}

pub(crate) use {for_floats, for_items, for_numbers, for_rings, for_types};

impl Context<'_> {
    /// The elements of a tensor.
    pub(crate) fn items<'t, T: Item>(&self, tensor: &'t Tensor) -> Result<&'t [T], KernelError> {
        T::items(tensor).map_or_else(|| self.bug("got tensors of several types"), Ok)
    }

    /// The elements of a tensor, copied first if shared.
    pub(crate) fn items_mut<'t, T: Item>(
        &self,
        tensor: &'t mut Tensor,
    ) -> Result<&'t mut [T], KernelError> {
        T::items_mut(tensor).map_or_else(|| self.bug("got tensors of several types"), Ok)
    }

    /// The node's one output, filled by `fill`, which is given zeros.
    pub(crate) fn output<T: Item>(&self, fill: impl FnOnce(&mut [T])) -> Vec<Tensor> {
        let shape = &self.node.outputs[0].shape;
        let mut out = T::zeros(shape.elements());
        fill(&mut out);
        vec![T::tensor(shape, out)]
    }

    /// The node's one output, made of the elements of `x` that `view` says.
    pub(crate) fn viewed(&self, x: &Tensor, view: &View) -> Result<Vec<Tensor>, KernelError> {
        for_items!(x, T => {
            let x = self.items::<T>(x)?;
            Ok(self.output::<T>(|out| copy(view, x, out)))
        })
    }

    /// A list attribute as sizes or positions.
    pub(crate) fn sizes(&self, name: &str) -> Result<Vec<usize>, KernelError> {
        let list = self.node.attributes.ints(name);
        let sizes = list.and_then(|list| list.iter().map(|&n| usize::try_from(n).ok()).collect());
        sizes.map_or_else(|| self.bug("lacks an attribute"), Ok)
    }
}
