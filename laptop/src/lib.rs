//! The laptop side of OfficeOS.

pub mod agent;
pub mod cli;
pub mod config;
pub mod control;
pub mod daemon;
pub mod executor;
pub mod fetch;
pub mod files;
pub mod hub;
pub mod ipc;
pub mod journal;
pub mod ledger;
pub mod link;
pub mod llm;
pub mod paths;
pub mod picture;
pub mod policy;
pub mod sanitize;
pub mod service;
pub mod store;
pub mod systemd;
pub mod web;
