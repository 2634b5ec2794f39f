//! The laptop side of OfficeOS.
