//! `share(x)`: makes an encoded value secret.

use sordino_graph::{Element, Place, Role, Secrecy, Signature, Type, TypeError, Value, type_error};

use super::encode;
use crate::kernel::{self, Op};

/// Shares `x` among the servers of the protocol: from here on nobody can read it alone. Floats are
/// encoded first, in the precision of the program: see [`encode()`] for numbers that it cannot
/// hold.
///
/// Source: [ABY3](crate::protocol::aby3). Errs by half a unit, in 1 round and two ring elements for
/// each of `x`; one for what is only added and revealed.
#[track_caller]
pub fn share(x: Value<'_>) -> Value<'_> {
    let g = x.recording();
    let Some(secure) = g.setup().secure.clone() else {
        g.fault("share", "needs a protocol: give the setup its `secure` servers");
        return x;
    };
    let float = x.ty().is_some_and(|ty| ty.element.is_float());
    let encoded = if float { encode(x, secure.fixed) } else { x };
    g.op(&OP.spec).input(encoded).at(Place::Secure).build()
}

/// See [`share()`]. Lowering replaces it.
pub static OP: Op = Op::new("share", Role::Share, infer, kernel::lowered);

fn infer(s: &Signature<'_>) -> Result<Vec<Type>, TypeError> {
    let [x] = s.inputs()?;
    match x.element {
        Element::Fixed(fixed) if x.secrecy == Secrecy::Plain => {
            Ok(vec![Type::secret(fixed, x.shape.clone())])
        }
        Element::Bits(_) if x.secrecy == Secrecy::Plain => {
            Ok(vec![Type { secrecy: Secrecy::Secret, ..x.clone() }])
        }
        _ => type_error!("takes an encoded plaintext value or words, not {x}"),
    }
}

#[cfg(test)]
mod tests {
    use sordino_graph::Fixed;

    use crate::op::{and, bit_to_number, constant, from_bits, negative, share, to_bits};
    use crate::protocol::testing::revealed;
    use crate::testing::player;

    const X: [f64; 5] = [-3.5, 0.0, 2.0, -1.0, 1e9];

    /// Words and truth values that one player knows become secrets, and meet others.
    #[test]
    fn of_words() {
        for protocol in ["ABY3", "Plain"] {
            for fixed in [Fixed::LOW, Fixed::HIGH] {
                let inputs: [(&[usize], _); 1] = [(&[5], vec![-1.0; 5])];
                let words = revealed(protocol, fixed, &inputs, &|g, _| {
                    from_bits(share(to_bits(constant(g, player("owner"), &X, &[5]))))
                });
                assert_eq!(words, X, "{protocol} {fixed}");
                let signs = revealed(protocol, fixed, &inputs, &|g, x| {
                    let sign = share(negative(constant(g, player("s1"), &X, &[5])));
                    bit_to_number(and(sign, negative(x[0])))
                });
                assert_eq!(signs, [1.0, 0.0, 0.0, 1.0, 0.0], "{protocol} {fixed}");
            }
        }
    }
}
