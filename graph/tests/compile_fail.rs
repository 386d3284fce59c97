//! Programs that must not compile, with what the compiler says of them.
//!
//! Only what the macro itself refuses is here: its messages are ours. That a value which escapes
//! its recording, or meets another recording, does not compile is shown in `record`'s
//! documentation, because the compiler words it anew with every other version.

#[test]
fn misuse_of_secure_function_is_explained() {
    trybuild::TestCases::new().compile_fail("tests/compile_fail/*.rs");
}
