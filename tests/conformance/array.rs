//! Tensors of doubles, for what results should be.

/// Elements in row-major order.
#[derive(Debug, Clone, PartialEq)]
pub struct Array {
    pub axes: Vec<usize>,
    pub elements: Vec<f64>,
}

impl Array {
    /// Of these axes, each element from its index.
    pub fn of(axes: &[usize], element: impl Fn(&[usize]) -> f64) -> Self {
        let n: usize = axes.iter().product();
        let index = |mut i: usize| {
            let mut index = vec![0; axes.len()];
            for (place, &size) in index.iter_mut().zip(axes).rev() {
                (*place, i) = (i % size, i / size);
            }
            index
        };
        Self { axes: axes.to_vec(), elements: (0..n).map(|i| element(&index(i))).collect() }
    }

    /// The element of an index.
    pub fn at(&self, index: &[usize]) -> f64 {
        assert_eq!(index.len(), self.axes.len());
        let place = index.iter().zip(&self.axes).fold(0, |place, (&i, &n)| {
            assert!(i < n, "{index:?} of {:?}", self.axes);
            place * n + i
        });
        self.elements[place]
    }

    /// A function of each element.
    pub fn map(&self, of: impl Fn(f64) -> f64) -> Self {
        Self { axes: self.axes.clone(), elements: self.elements.iter().map(|&x| of(x)).collect() }
    }

    /// A function of the elements of both, each repeated to the shape of the other by the rules of
    /// NumPy.
    pub fn zip(&self, other: &Self, of: impl Fn(f64, f64) -> f64) -> Self {
        let rank = self.axes.len().max(other.axes.len());
        let size =
            |x: &Self, i: usize| (i + x.axes.len()).checked_sub(rank).map_or(1, |i| x.axes[i]);
        let axes: Vec<usize> = (0..rank)
            .map(|i| if size(self, i) == 1 { size(other, i) } else { size(self, i) })
            .collect();
        let at = |x: &Self, index: &[usize]| {
            let own = &index[rank - x.axes.len()..];
            let index = own.iter().zip(&x.axes).map(|(&i, &n)| if n == 1 { 0 } else { i });
            x.at(&index.collect::<Vec<_>>())
        };
        Self::of(&axes, |index| of(at(self, index), at(other, index)))
    }

    /// The same elements with other axes.
    pub fn reshaped(&self, axes: &[usize]) -> Self {
        assert_eq!(axes.iter().product::<usize>(), self.elements.len());
        Self { axes: axes.to_vec(), elements: self.elements.clone() }
    }

    /// What is made of the elements along `axis`, which goes away.
    pub fn fold(&self, axis: usize, of: impl Fn(&[f64]) -> f64) -> Self {
        let mut axes = self.axes.clone();
        let n = axes.remove(axis);
        Self::of(&axes, |index| {
            let along = |i: usize| {
                let mut index = index.to_vec();
                index.insert(axis, i);
                self.at(&index)
            };
            of(&(0..n).map(along).collect::<Vec<_>>())
        })
    }

    /// What is made of each row along the last axis, as long as the row.
    pub fn rows(&self, of: impl Fn(&[f64]) -> Vec<f64>) -> Self {
        let n = self.axes.last().copied().unwrap_or(1).max(1);
        let elements = self.elements.chunks(n).flat_map(of).collect();
        Self { axes: self.axes.clone(), elements }
    }
}
