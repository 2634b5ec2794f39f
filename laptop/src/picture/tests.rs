//! The image service against scripted servers.
