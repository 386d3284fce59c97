//! Sordino.
