//! What the gateway of web-service asks for its callers.

use super::{Method, read};
use crate::daemon::gateway;

pub(super) const METHODS: &[Method] = &[
    Method::full("gateway.models", |control, params| {
        gateway::models(&control.hub, read(params)?)
    }),
    Method::full("gateway.chat", |control, params| {
        gateway::chat(&control.hub, read(params)?)
    }),
    Method::full("gateway.complete", |control, params| {
        gateway::complete(&control.hub, read(params)?)
    }),
    Method::full("gateway.embed", |control, params| {
        gateway::embed(&control.hub, read(params)?)
    }),
    Method::full("gateway.image", |control, params| {
        gateway::image(&control.hub, read(params)?)
    }),
];
