//! Values while a graph runs: tensors of floats, labels and ring elements.

use std::fmt;
use std::sync::Arc;

use ndarray::{ArcArray, Dimension, IxDyn};
use sordino_graph::{Element, Shape, Type, Width};
use subtle::ConstantTimeEq;

use crate::buffer::Spares;
use crate::tensor::ring::Ring;
use crate::tensor::spend::spend;

/// A tensor. Cloning shares the elements; writing to shared elements copies them first.
///
/// Its `Debug` shows element type and shape, never elements: any tensor may be private.
#[derive(Clone)]
pub enum Tensor {
    /// 32-bit floats.
    F32(ArcArray<f32, IxDyn>),
    /// 64-bit floats.
    F64(ArcArray<f64, IxDyn>),
    /// 32-bit signed integers.
    I32(ArcArray<i32, IxDyn>),
    /// Elements of the ring of 2^64: encoded values and shares, and words of up to 64 bits.
    Ring64(Elements<u64>),
    /// Elements of the ring of 2^128: encoded values and shares, and longer words.
    Ring128(Elements<u128>),
}

/// Ring elements. Zeroed when the last handle drops; equal in constant time.
#[derive(Clone)]
pub struct Elements<R: TensorRing> {
    shape: Shape,
    elements: Arc<Wiped<R>>,
}

/// Zeroes its elements on drop, whichever way they go.
#[derive(Clone)]
struct Wiped<R: TensorRing>(Vec<R>);

impl<R: TensorRing> Drop for Wiped<R> {
    fn drop(&mut self) {
        R::spares().give_back(std::mem::take(&mut self.0));
    }
}

/// A ring with its variant of [`Tensor`].
pub trait TensorRing: Ring + bytemuck::Pod {
    /// The tensor of these elements.
    fn tensor(elements: Elements<Self>) -> Tensor;
    /// The elements of a tensor of this ring.
    fn elements(tensor: Tensor) -> Option<Elements<Self>>;
    /// Buffers to use again.
    fn spares() -> &'static Spares<Self>;
}

impl TensorRing for u64 {
    fn tensor(elements: Elements<Self>) -> Tensor {
        Tensor::Ring64(elements)
    }

    fn elements(tensor: Tensor) -> Option<Elements<Self>> {
        if let Tensor::Ring64(elements) = tensor { Some(elements) } else { None }
    }

    fn spares() -> &'static Spares<Self> {
        static SPARES: Spares<u64> = Spares::new();
        &SPARES
    }
}

impl TensorRing for u128 {
    fn tensor(elements: Elements<Self>) -> Tensor {
        Tensor::Ring128(elements)
    }

    fn elements(tensor: Tensor) -> Option<Elements<Self>> {
        if let Tensor::Ring128(elements) = tensor { Some(elements) } else { None }
    }

    fn spares() -> &'static Spares<Self> {
        static SPARES: Spares<u128> = Spares::new();
        &SPARES
    }
}

impl<R: TensorRing> Elements<R> {
    /// Elements in row-major order.
    ///
    /// # Panics
    /// When their number is not that of the shape.
    #[must_use]
    pub fn new(shape: Shape, elements: Vec<R>) -> Self {
        assert_eq!(shape.elements(), elements.len(), "elements do not fill the shape");
        Self { shape, elements: Arc::new(Wiped(elements)) }
    }

    /// As many zeros as the shape holds.
    #[must_use]
    pub fn zeros(shape: &Shape) -> Self {
        Self::new(shape.clone(), R::spares().zeros(shape.elements()))
    }

    /// The shape.
    #[must_use]
    pub fn shape(&self) -> &Shape {
        &self.shape
    }

    /// The same elements, not copied, under another shape.
    ///
    /// # Panics
    /// When their number is not that of the shape.
    #[must_use]
    pub fn reshaped(self, shape: &Shape) -> Self {
        assert_eq!(shape.elements(), self.elements.0.len(), "elements do not fill the shape");
        Self { shape: shape.clone(), ..self }
    }

    /// The elements in row-major order.
    #[must_use]
    pub fn as_slice(&self) -> &[R] {
        &self.elements.0
    }

    /// `visit(terms, out)` for `out`, in one or more blocks, with the elements of the terms at the
    /// same places; see [`spend`]. Terms that other handles share keep their elements.
    ///
    /// # Panics
    /// When a term has not as many elements as `out`.
    pub(crate) fn spend<T: Send>(
        mut terms: Vec<Self>,
        out: &mut [T],
        visit: &(impl Fn(&[&[R]], &mut [T]) + Sync),
    ) {
        let own = |term: &mut Self| Arc::get_mut(&mut term.elements).is_some();
        if !terms.iter_mut().all(own) {
            return visit(&terms.iter().map(Self::as_slice).collect::<Vec<_>>(), out);
        }
        spend(terms.iter_mut().map(Self::make_mut).collect(), out, visit);
        for term in &mut terms {
            if let Some(Wiped(zeros)) = Arc::get_mut(&mut term.elements) {
                R::spares().keep(std::mem::take(zeros));
            }
        }
    }

    /// The elements, copied first if another handle shares them.
    pub fn make_mut(&mut self) -> &mut [R] {
        &mut Arc::make_mut(&mut self.elements).0
    }
}

impl Tensor {
    /// Floats in row-major order.
    ///
    /// # Panics
    /// When their number is not that of the shape.
    #[must_use]
    pub fn f32(shape: &Shape, elements: Vec<f32>) -> Self {
        Self::F32(array(shape, elements))
    }

    /// Doubles in row-major order.
    ///
    /// # Panics
    /// When their number is not that of the shape.
    #[must_use]
    pub fn f64(shape: &Shape, elements: Vec<f64>) -> Self {
        Self::F64(array(shape, elements))
    }

    /// Integers in row-major order.
    ///
    /// # Panics
    /// When their number is not that of the shape.
    #[must_use]
    pub fn i32(shape: &Shape, elements: Vec<i32>) -> Self {
        Self::I32(array(shape, elements))
    }

    /// A tensor of zeros of the element type and shape of `ty`.
    #[must_use]
    pub fn zeros(ty: &Type) -> Self {
        let n = ty.shape.elements();
        match ty.element {
            Element::F32 => Self::f32(&ty.shape, vec![0.0; n]),
            Element::F64 => Self::f64(&ty.shape, vec![0.0; n]),
            Element::I32 => Self::i32(&ty.shape, vec![0; n]),
            Element::Fixed(fixed) => match fixed.width() {
                Width::W64 => Self::Ring64(Elements::zeros(&ty.shape)),
                Width::W128 => Self::Ring128(Elements::zeros(&ty.shape)),
            },
            Element::Bits(..=64) => Self::Ring64(Elements::zeros(&ty.shape)),
            Element::Bits(_) => Self::Ring128(Elements::zeros(&ty.shape)),
        }
    }

    /// Sizes of the axes.
    #[must_use]
    pub fn axes(&self) -> &[usize] {
        match self {
            Self::F32(x) => x.shape(),
            Self::F64(x) => x.shape(),
            Self::I32(x) => x.shape(),
            Self::Ring64(x) => x.shape.axes(),
            Self::Ring128(x) => x.shape.axes(),
        }
    }

    /// Whether the tensor has the element type and shape of `ty`.
    #[must_use]
    pub fn fits(&self, ty: &Type) -> bool {
        let element = match (self, ty.element) {
            (Self::F32(_), Element::F32)
            | (Self::F64(_), Element::F64)
            | (Self::I32(_), Element::I32) => true,
            (Self::Ring64(_), Element::Fixed(fixed)) => fixed.width() == Width::W64,
            (Self::Ring128(_), Element::Fixed(fixed)) => fixed.width() == Width::W128,
            (Self::Ring64(_), Element::Bits(bits)) => bits <= 64,
            (Self::Ring128(_), Element::Bits(bits)) => bits > 64,
            _ => false,
        };
        element && self.axes() == ty.shape.axes()
    }

    /// The elements as they cross the wire: row-major, little-endian.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        match self {
            Self::F32(x) => bytemuck::cast_slice(slice(x)),
            Self::F64(x) => bytemuck::cast_slice(slice(x)),
            Self::I32(x) => bytemuck::cast_slice(slice(x)),
            Self::Ring64(x) => bytemuck::cast_slice(x.as_slice()),
            Self::Ring128(x) => bytemuck::cast_slice(x.as_slice()),
        }
    }

    /// The elements as they cross the wire, to be written; copied first if shared.
    pub fn as_bytes_mut(&mut self) -> &mut [u8] {
        match self {
            Self::F32(x) => bytemuck::cast_slice_mut(slice_mut(x)),
            Self::F64(x) => bytemuck::cast_slice_mut(slice_mut(x)),
            Self::I32(x) => bytemuck::cast_slice_mut(slice_mut(x)),
            Self::Ring64(x) => bytemuck::cast_slice_mut(x.make_mut()),
            Self::Ring128(x) => bytemuck::cast_slice_mut(x.make_mut()),
        }
    }

    /// The floats of an `f32` tensor.
    #[must_use]
    pub fn as_f32(&self) -> Option<&[f32]> {
        if let Self::F32(x) = self { Some(slice(x)) } else { None }
    }

    /// The floats of an `f32` or `f64` tensor as `f64`.
    #[must_use]
    pub fn to_f64(&self) -> Option<Vec<f64>> {
        match self {
            Self::F32(x) => Some(slice(x).iter().map(|&x| f64::from(x)).collect()),
            Self::F64(x) => Some(slice(x).to_vec()),
            _ => None,
        }
    }
}

// The wire is little-endian, and elements cross it as they stand in memory.
#[cfg(target_endian = "big")]
compile_error!("big-endian machines need a byte swap in Tensor::as_bytes");

fn array<T>(shape: &Shape, elements: Vec<T>) -> ArcArray<T, IxDyn> {
    match ArcArray::from_shape_vec(IxDyn(shape.axes()), elements) {
        Ok(array) => array,
        Err(error) => panic!("elements do not fill {shape}: {error}"),
    }
}

/// The elements of an array in row-major order: every array of a [`Tensor`] is contiguous.
pub(crate) fn slice<T, D: Dimension>(array: &ArcArray<T, D>) -> &[T] {
    array.as_slice().expect("`array` makes contiguous tensors, and none is sliced")
}

pub(crate) fn slice_mut<T: Clone, D: Dimension>(array: &mut ArcArray<T, D>) -> &mut [T] {
    array.as_slice_mut().expect("`array` makes contiguous tensors, and none is sliced")
}

impl PartialEq for Tensor {
    fn eq(&self, other: &Self) -> bool {
        let same_variant = std::mem::discriminant(self) == std::mem::discriminant(other);
        same_variant
            && self.axes() == other.axes()
            && bool::from(self.as_bytes().ct_eq(other.as_bytes()))
    }
}

impl fmt::Debug for Tensor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self {
            Self::F32(_) => "f32",
            Self::F64(_) => "f64",
            Self::I32(_) => "i32",
            Self::Ring64(_) => "share f64",
            Self::Ring128(_) => "share f128",
        };
        write!(f, "<{name}…{:?}>", self.axes())
    }
}

impl<R: TensorRing> fmt::Debug for Elements<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<share f{}…{}>", R::WIDTH, self.shape)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sordino_graph::Fixed;

    #[test]
    fn shares_do_not_print() {
        let shape = Shape::new(&[3]).unwrap();
        let tensor = Tensor::Ring64(Elements::new(shape, vec![118_282, 7, 7]));
        assert_eq!(format!("{tensor:?}"), "<share f64…[3]>");
    }

    #[test]
    fn bytes_are_the_elements() {
        let ty = Type::share(Fixed::HIGH, Shape::new(&[2]).unwrap());
        let mut tensor = Tensor::zeros(&ty);
        assert!(tensor.fits(&ty));
        tensor.as_bytes_mut()[16] = 5;
        let Tensor::Ring128(x) = &tensor else { panic!("not 128 bits") };
        assert_eq!(x.as_slice(), [0, 5]);
        assert_eq!(tensor.as_bytes().len(), 32);
    }

    #[test]
    fn writing_to_shared_elements_copies() {
        let ty = Type::plain(Element::F32, Shape::new(&[2]).unwrap());
        let mut a = Tensor::zeros(&ty);
        let b = a.clone();
        a.as_bytes_mut().fill(1);
        assert_ne!(a, b);
        assert_eq!(b.as_f32().unwrap(), [0.0, 0.0]);
    }
}
