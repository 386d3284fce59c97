use super::*;
use crate::tensor::pad::{PadId, PadKey};
use crate::tensor::ring::{add_assign, sub_assign};

fn encoded<F: Real, R: Ring>(x: &[F], fraction_bits: u32) -> Result<Vec<R>, OutOfRange> {
    let mut out = vec![R::from_i64(7); x.len()];
    encode(x, fraction_bits, &mut out).map(|()| out)
}

fn samples(n: usize) -> Vec<f32> {
    let mut x = 1u32;
    (0..n)
        .map(|_| {
            x = x.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (x as f32 / (1u64 << 31) as f32 - 1.0) * 100.0
        })
        .collect()
}

#[test]
fn rounds_to_the_nearest_even() {
    let x = [0.5f64, 1.5, 2.5, -0.5, -1.5, 0.49999999999999994, -3.0, 0.0, -0.0];
    let expected = [0, 2, 2, 0, -2, 0, -3, 0, 0];
    assert_eq!(encoded::<_, u64>(&x, 0).unwrap(), expected.map(u64::from_i64));
    assert_eq!(encoded::<_, u128>(&x, 0).unwrap(), expected.map(u128::from_i64));
}

fn round_trip<R: Ring>(fraction_bits: u32) {
    let x = samples(3000);
    let shares = encoded::<_, R>(&x, fraction_bits).unwrap();
    let mut back = vec![f64::NAN; x.len()];
    decode_sum(&[&shares], fraction_bits, 1.0, &mut back);
    let error = power_of_two(-(fraction_bits as i32) - 1);
    for (x, y) in x.iter().zip(back) {
        assert!((f64::from(*x) - y).abs() <= error, "{x} is not {y}");
    }
}

#[test]
fn decoding_undoes_encoding_within_half_a_unit() {
    round_trip::<u64>(0);
    round_trip::<u64>(16);
    round_trip::<u128>(32);
    // Beyond 2^51 units: the exact path.
    round_trip::<u128>(60);
    round_trip::<u128>(100);
}

fn edges<R: Ring>(fraction_bits: u32) {
    let limit = limit::<R>(fraction_bits);
    for outside in [limit, -limit, limit * 2.0, f64::MAX, f64::INFINITY, f64::NEG_INFINITY] {
        let error = encoded::<_, R>(&[1.0, outside], fraction_bits).unwrap_err();
        assert_eq!(error, OutOfRange { index: 1, kind: OutOfRangeKind::TooLarge });
    }
    let error = encoded::<_, R>(&[1.0, f64::NAN, limit], fraction_bits).unwrap_err();
    assert_eq!(error, OutOfRange { index: 1, kind: OutOfRangeKind::NotANumber });

    // The largest f64 that does not round up to the limit, 2^HEADROOM_BITS times: no wrap.
    let unit = power_of_two(-(fraction_bits as i32));
    let largest = f64::from_bits(limit.to_bits() - 1).min(limit - unit);
    for x in [largest, -largest] {
        let share = encoded::<_, R>(&[x], fraction_bits).unwrap();
        let shares = vec![&share[..]; 1 << HEADROOM_BITS];
        let mut mean = [0.0f64];
        decode_sum(&shares, fraction_bits, 1.0 / shares.len() as f64, &mut mean);
        assert_eq!(mean, [x]);
    }
}

#[test]
fn the_limit_is_what_it_says() {
    assert_eq!(limit::<u64>(16), 2f64.powi(34));
    assert_eq!(limit::<u128>(32), 2f64.powi(82));
    edges::<u64>(0);
    edges::<u64>(16);
    edges::<u128>(0);
    edges::<u128>(32);
}

#[test]
fn just_below_the_limit_may_round_up_to_it() {
    let limit = limit::<u64>(0);
    let error = encoded::<_, u64>(&[limit - 0.25], 0).unwrap_err();
    assert_eq!(error.kind, OutOfRangeKind::TooLarge);
}

#[test]
fn the_first_bad_number_of_many_is_named_and_nothing_is_left() {
    let mut x = samples(100_000);
    for bad in [99_999, 70_000, 33_000, 511] {
        x[bad] = f32::NAN;
        let mut out = vec![1u64; x.len()];
        let error = encode(&x, 16, &mut out).unwrap_err();
        assert_eq!(error, OutOfRange { index: bad, kind: OutOfRangeKind::NotANumber });
        assert!(out.iter().all(|&x| x == 0));
    }
    let text = OutOfRange { index: 3, kind: OutOfRangeKind::TooLarge }.to_string();
    assert_eq!(text, "element 3 is too large for the ring");
}

fn fused<R: Ring>(n: usize) {
    let pad = |lane| {
        let key = PadKey::from_bytes([3; 32]);
        key.stream(&PadId { plan: [1; 32], step: 0, node: 0, lane })
    };
    let x = samples(n);
    let mut out = vec![R::default(); n];
    encode_minus_pads(&x, 16, vec![pad(0), pad(1)], &mut out).unwrap();
    let mut expected = encoded::<_, R>(&x, 16).unwrap();
    pad(0).sub_from(&mut expected);
    pad(1).sub_from(&mut expected);
    assert!(out == expected);
    pad(0).add_to(&mut out);
    pad(1).add_to(&mut out);
    assert!(out == encoded::<_, R>(&x, 16).unwrap());
}

#[test]
fn encoding_and_masking_at_once_is_both_in_turn() {
    for n in [0, 1, 511, 513, 100_001] {
        fused::<u64>(n);
        fused::<u128>(n);
    }
}

fn sums_decode<R: Ring>(values: &[i64]) {
    let n = values.len();
    let whole: Vec<R> = values.iter().map(|&v| R::from_i64(v)).collect();
    for count in 1..6 {
        // All but the last share are arbitrary.
        let mut shares: Vec<Vec<R>> = (1..count)
            .map(|s| {
                let odd = R::from_i64(0x1234_5678_9abc_def1 * s);
                (0..n).map(|i| R::from_i64(i as i64 + 1).wrapping_mul(odd)).collect()
            })
            .collect();
        let mut last = whole.clone();
        shares.iter().for_each(|share| sub_assign(&mut last, share));
        shares.push(last);
        let shares: Vec<&[R]> = shares.iter().map(Vec::as_slice).collect();
        let (mut wide, mut narrow) = (vec![0.0f64; n], vec![0.0f32; n]);
        decode_sum(&shares, 16, 0.25, &mut wide);
        decode_sum(&shares, 16, 0.25, &mut narrow);
        for ((&v, wide), narrow) in values.iter().zip(wide).zip(narrow) {
            assert_eq!(wide, v as f64 * 0.25 / 65536.0);
            assert_eq!(narrow, (v as f64 * 0.25 / 65536.0) as f32);
        }
    }
}

#[test]
fn sums_decode_with_one_rounding() {
    let mut values = vec![0, 1, -1, i64::MAX, i64::MIN, (1 << 53) + 1, -(1 << 53) - 1];
    values.extend((0..63).flat_map(|b| [1 << b, -(1 << b), (1 << b) + 1, (3 << b) - 1]));
    values.extend((0..2000i64).map(|i| i.wrapping_mul(0x9e37_79b9_7f4a_7c15_u64 as i64)));
    sums_decode::<u64>(&values);
    sums_decode::<u128>(&values);
    let mut zero = [1.0f32];
    decode_sum::<u64, _>(&[], 16, 1.0, &mut zero);
    assert_eq!(zero, [0.0]);
}

#[test]
fn sums_wider_than_64_bits_decode() {
    let x = [2f64.powi(70), -(2f64.powi(70)), 1.0, -1.0];
    let mut shares = encoded::<_, u128>(&x, 32).unwrap();
    let doubled = shares.clone();
    add_assign(&mut shares, &doubled);
    let mut back = [0.0f64; 4];
    decode_sum(&[&shares], 32, 0.5, &mut back);
    assert_eq!(back, x);
}
