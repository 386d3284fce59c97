//! The secure_function attribute.
