//! The handheld side of OfficeOS.
