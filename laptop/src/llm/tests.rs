//! The language service against scripted servers.
