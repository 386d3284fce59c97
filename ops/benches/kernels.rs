//! Time of the kernels in which a step of federated training spends its time, at the sizes of
//! network_a: 118,282 weights, batches of 128 images of 784 pixels.

use aes::Aes128;
use aes::cipher::{KeyIvInit, StreamCipher};
use criterion::{Criterion, criterion_group, criterion_main};
use ctr::Ctr64LE;
use sordino_ops::data::{Mnist, Split};
use sordino_ops::tensor::bits::{and_shares, pack_low, slice_bits, unpack_low, unslice_bits};
use sordino_ops::tensor::conv::ring::{
    conv2d_ring, conv2d_ring_grad_filters, conv2d_ring_grad_images,
};
use sordino_ops::tensor::conv::{
    ConvShape, Padding, conv2d, conv2d_grad_filters, conv2d_grad_images,
};
use sordino_ops::tensor::fixed::{decode_sum, encode, encode_minus_pads};
use sordino_ops::tensor::matmul::{MatmulShape, matmul_f32};
use sordino_ops::tensor::pad::{Pad, PadId, PadKey, sum_pads_into};
use sordino_ops::tensor::ring::{Ring, add3_into};
use sordino_ops::tensor::ring_matmul::{Write, matmul_ring};
use sordino_ops::tensor::ring_ops::{cross_products, shift_right_signed_assign};
use sordino_ops::tensor::truncation::{truncate_first, truncate_last, truncate_second};
use std::hint::black_box;
use std::path::Path;

const WEIGHTS: usize = 118_282;

/// The first layer of a convolutional network.
const CONVOLUTION: ConvShape = ConvShape {
    batch: 128,
    height: 28,
    width: 28,
    channels: 1,
    filter_height: 5,
    filter_width: 5,
    filters: 16,
    stride: 1,
    padding: Padding::Same,
};

fn products(c: &mut Criterion) {
    let shapes = [
        ("forward 128x784x128", MatmulShape::new(128, 784, 128)),
        (
            "gradient 784x128x128",
            MatmulShape { transpose_a: true, ..MatmulShape::new(784, 128, 128) },
        ),
        ("1000x1000x1000", MatmulShape::new(1000, 1000, 1000)),
    ];
    for (name, shape) in shapes {
        let a = numbers(shape.m * shape.k);
        let b = numbers(shape.k * shape.n);
        let mut out = vec![0.0; shape.m * shape.n];
        for threads in [1, 2] {
            c.bench_function(&format!("matmul {name}, {threads} threads"), |bench| {
                pool(threads).install(|| bench.iter(|| matmul_f32(shape, &a, &b, &mut out)));
            });
        }
    }
}

fn ring_products<R: Ring>(c: &mut Criterion) {
    let gradient_a = MatmulShape { transpose_b: true, ..MatmulShape::new(128, 128, 784) };
    let gradient_b = MatmulShape { transpose_a: true, ..MatmulShape::new(784, 128, 128) };
    let shapes = [
        ("128x784x128", MatmulShape::new(128, 784, 128)),
        ("128x128x784, right factor transposed", gradient_a),
        ("784x128x128, left factor transposed", gradient_b),
        ("128x784x1", MatmulShape::new(128, 784, 1)),
        ("1000x1000x1000", MatmulShape::new(1000, 1000, 1000)),
    ];
    let mut group = c.benchmark_group(format!("ring matmul u{}", R::WIDTH));
    group.sample_size(30);
    for (name, shape) in shapes {
        let a = elements::<R>(shape.m * shape.k);
        let b = elements::<R>(shape.k * shape.n);
        let mut out = vec![R::default(); shape.m * shape.n];
        for threads in [1, 2] {
            group.bench_function(format!("{name}, {threads} threads"), |bench| {
                pool(threads).install(|| {
                    bench.iter(|| matmul_ring(shape, &a, &b, &mut out, Write::Add));
                });
            });
        }
    }
}

fn convolutions(c: &mut Criterion) {
    let first = CONVOLUTION;
    let second = ConvShape { height: 14, width: 14, channels: 16, ..first };
    for (name, shape) in [("28x28x1 5x5x16", first), ("14x14x16 5x5x16", second)] {
        let images = numbers(shape.images_len());
        let filters = numbers(shape.filters_len());
        let grad = numbers(shape.out_len());
        let mut out = vec![0.0; shape.out_len().max(shape.images_len())];
        let one = pool(1);
        c.bench_function(&format!("conv {name}, 1 thread"), |b| {
            let out = &mut out[..shape.out_len()];
            one.install(|| b.iter(|| conv2d(&shape, &images, &filters, out)));
        });
        c.bench_function(&format!("conv filters' gradient {name}, 1 thread"), |b| {
            let out = &mut out[..shape.filters_len()];
            one.install(|| b.iter(|| conv2d_grad_filters(&shape, &images, &grad, out)));
        });
        c.bench_function(&format!("conv images' gradient {name}, 1 thread"), |b| {
            let out = &mut out[..shape.images_len()];
            one.install(|| b.iter(|| conv2d_grad_images(&shape, &filters, &grad, out)));
        });
    }
}

/// The layers of network_b.
fn ring_convolutions(c: &mut Criterion) {
    let first = ConvShape { padding: Padding::Valid, ..CONVOLUTION };
    let second = ConvShape { height: 12, width: 12, channels: 16, ..first };
    let mut group = c.benchmark_group("ring conv u64");
    group.sample_size(30);
    for (name, shape) in [("28x28x1 5x5x16", first), ("12x12x16 5x5x16", second)] {
        let images = elements::<u64>(shape.images_len());
        let filters = elements::<u64>(shape.filters_len());
        let grad = elements::<u64>(shape.out_len());
        let mut out = vec![0; shape.out_len()];
        let mut by_filters = vec![0; shape.filters_len()];
        let mut by_images = vec![0; shape.images_len()];
        for threads in [1, 2] {
            let pool = pool(threads);
            group.bench_function(format!("{name}, {threads} threads"), |b| {
                let mut run = || conv2d_ring(&shape, &images, &filters, &mut out, Write::Add);
                pool.install(|| b.iter(&mut run));
            });
            group.bench_function(format!("filters' gradient {name}, {threads} threads"), |b| {
                let out = &mut by_filters;
                let mut run = || conv2d_ring_grad_filters(&shape, &images, &grad, out, Write::Add);
                pool.install(|| b.iter(&mut run));
            });
            group.bench_function(format!("images' gradient {name}, {threads} threads"), |b| {
                let out = &mut by_images;
                let mut run = || conv2d_ring_grad_images(&shape, &filters, &grad, out, Write::Add);
                pool.install(|| b.iter(&mut run));
            });
        }
    }
}

/// What a comparison and a product of 65,536 secrets are made of.
fn ring_elementwise<R: Ring>(c: &mut Criterion) {
    const N: usize = 65_536;
    let shares = [(); 4].map(|()| elements::<R>(N));
    let [x0, x1, y0, y1] = &shares;
    let (mut out, mut pad) = (elements::<R>(N), elements::<R>(N));
    let mut planes = vec![0; N / 64 * R::WIDTH as usize];
    let words = [(); 4].map(|()| elements::<u64>(N));
    let mut ands = vec![0; N];
    let mut group = c.benchmark_group(format!("65536 of u{}", R::WIDTH));
    for threads in [1, 2] {
        let pool = pool(threads);
        let mut bench = |name: &str, run: &mut (dyn FnMut() + Send)| {
            group.bench_function(format!("{name}, {threads} threads"), |b| {
                pool.install(|| b.iter(&mut *run));
            });
        };
        bench("products of a server", &mut || cross_products(1, &mut out, [x1, y0, y1]));
        bench("truncate_first, 16 bits", &mut || {
            let pads = [0, 1, 2].map(|i| &words[i][..N / 4]);
            truncate_first(16, &mut out, &mut pad, pads, &mut ands[..N / 4]);
        });
        bench("truncate_second, 16 bits", &mut || {
            let pads = [0, 1].map(|i| &words[i][..N / 4]);
            truncate_second(16, &mut out, pads, &mut ands[..N / 4]);
        });
        bench("truncate_last, 16 bits", &mut || truncate_last(16, &mut out, &words[0][..N / 4]));
        bench("shift_right_signed", &mut || shift_right_signed_assign(&mut out, 13));
        bench("slice_bits, all", &mut || slice_bits(x0, 0..R::WIDTH, &mut planes));
        bench("unslice_bits, all", &mut || unslice_bits(&planes, &mut out));
        bench("slice_bits, highest", &mut || {
            slice_bits(x0, R::WIDTH - 1..R::WIDTH, &mut planes[..N / 64]);
        });
        bench("pack_low, 16 bits", &mut || pack_low(x0, 16, &mut planes[..N / 4]));
        bench("unpack_low, 16 bits", &mut || unpack_low(&planes[..N / 4], 16, &mut out));
        bench("and_shares of words", &mut || {
            let [x0, x1, y0, y1] = &words;
            and_shares(x0, x1, y0, y1, &mut ands, Write::Add);
        });
    }
}

fn rings<R: Ring>(c: &mut Criterion) {
    let (width, fraction_bits) = (R::WIDTH, R::WIDTH / 4);
    let x = numbers(WEIGHTS);
    let mut shares = [(); 4].map(|()| vec![R::default(); WEIGHTS]);
    let mut decoded = vec![0.0f32; WEIGHTS];
    let [one, two, three, out] = &mut shares;
    sum_pads_into(pads(1), one);
    sum_pads_into(pads(2).split_off(1), two);

    if R::WIDTH == 64 {
        c.bench_function("derive a pad", |b| b.iter(|| pads(1)));
        c.bench_function("AES-128-CTR alone, 946 KB", |b| {
            let mut cipher = Ctr64LE::<Aes128>::new(&Default::default(), &Default::default());
            let mut data = vec![0; 8 * WEIGHTS];
            b.iter(|| cipher.apply_keystream(&mut data));
        });
    }
    for threads in [1, 2] {
        let pool = pool(threads);
        let name = |what: &str| format!("{what}, u{width}, {threads} threads");
        c.bench_function(&name("pad fill"), |b| {
            pool.install(|| b.iter(|| pads(1).remove(0).fill(out)));
        });
        c.bench_function(&name("pad add_to"), |b| {
            pool.install(|| b.iter(|| pads(1).remove(0).add_to(out)));
        });
        c.bench_function(&name("encode"), |b| {
            pool.install(|| b.iter(|| encode(black_box(&x), fraction_bits, out)));
        });
        c.bench_function(&name("encode_minus_pads, 2 pads"), |b| {
            pool.install(|| b.iter(|| encode_minus_pads(&x, fraction_bits, pads(2), three)));
        });
    }
    c.bench_function(&format!("decode_sum of 3, u{width}"), |b| {
        b.iter(|| decode_sum(&[one, two, three], fraction_bits, 0.25, &mut decoded));
    });
    c.bench_function(&format!("add3_into, u{width}"), |b| {
        b.iter(|| add3_into(one, two, three, out));
    });
}

fn datasets(c: &mut Criterion) {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../data/mnist");
    let mut group = c.benchmark_group("mnist load");
    group.sample_size(10);
    for range in [0..20_000, 40_000..60_000, 0..60_000] {
        group.bench_function(format!("{range:?}"), |b| {
            b.iter(|| Mnist::load(&dir, Split::Train, range.clone()).expect("the files are there"));
        });
    }
}

fn numbers(n: usize) -> Vec<f32> {
    (0..n).map(|i| (i % 1009) as f32 / 512.0 - 1.0).collect()
}

fn elements<R: Ring>(n: usize) -> Vec<R> {
    let mut out = vec![R::default(); n];
    pads(1).remove(0).fill(&mut out);
    out
}

fn pads(n: u32) -> Vec<Pad> {
    let key = PadKey::from_bytes([3; 32]);
    (0..n).map(|lane| key.stream(&PadId { plan: [1; 32], step: 0, node: 0, lane })).collect()
}

fn pool(threads: usize) -> rayon::ThreadPool {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads start")
}

criterion_group!(
    kernels,
    products,
    ring_products::<u64>,
    ring_products::<u128>,
    ring_elementwise::<u64>,
    ring_elementwise::<u128>,
    convolutions,
    ring_convolutions,
    rings::<u64>,
    rings::<u128>,
    datasets
);
criterion_main!(kernels);
