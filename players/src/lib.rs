//! Who takes part: roster, identity and certificates.
