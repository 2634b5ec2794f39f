//! The typed conversation between the daemon and its service processes.
//!
//! One Unix connection carries one request. The daemon connects, sends one [`ServiceRequest`] frame and reads
//! [`ServiceEvent`] frames until [`ServiceEvent::Done`] or [`ServiceEvent::Failed`]. Closing the connection is the cancel:
//! the service notices at once and drops whatever it was doing upstream.
//!
//! Both ends check the other's user id with `SO_PEERCRED`, so that a socket file left in the wrong place gives nothing away.
//! The frames are not a public protocol: daemon and services are always installed together.

mod cancel;
mod client;
mod frame;
mod message;
mod server;

pub use cancel::{CancelGuard, CancelToken};
pub use client::{CallError, CancelHandle, EventStream, ServiceClient};
pub use frame::{EVENT_CAP, FrameError, REQUEST_CAP, read_frame, write_frame};
pub use message::{
    AllowedUrl, ChatMessage, EmbedRequest, Failure, FailureCode, FetchRequest, FinishReason,
    Health, ModelInfo, Picture, PictureFormat, PictureKind, PictureRequest, ProviderCheck,
    ProviderHealth, Role, Screen, ServiceEvent, ServiceRequest, Source, TextKind, TextRequest,
    Usage,
};
pub use server::{
    EventSink, Gone, Handler, ServeOptions, Server, accept, bind, listener_from_stdin,
};

pub(crate) use server::{make_room, passes};

#[cfg(test)]
pub(crate) mod scripted;
#[cfg(test)]
mod tests;
