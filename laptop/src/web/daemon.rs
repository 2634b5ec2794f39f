//! The daemon, as web-service sees it: through the control socket and nothing else.

use crate::control::{Client, ClientError, ErrorKind, RpcError};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::path::{Path, PathBuf};

/// Calls the daemon. Each call has a connection of its own: nothing is kept that a restart could break.
#[derive(Debug, Clone)]
pub struct Daemon {
    socket: PathBuf,
}

impl Daemon {
    /// The daemon behind the control socket at `socket`.
    pub fn new(socket: &Path) -> Self {
        Self {
            socket: socket.to_owned(),
        }
    }

    /// Calls `method`.
    ///
    /// # Errors
    /// What the daemon said, or that it is not there.
    pub fn call<T: DeserializeOwned>(
        &self,
        method: &str,
        params: impl Serialize,
    ) -> Result<T, RpcError> {
        let internal = |error: serde_json::Error| {
            RpcError::new(ErrorKind::Internal, format!("laptop-daemon: {error}"))
        };
        let params = serde_json::to_value(params).map_err(internal)?;
        serde_json::from_value(self.forward(method, params)?).map_err(internal)
    }

    /// Calls `method` with what somebody else has written.
    ///
    /// # Errors
    /// What the daemon said, or that it is not there.
    pub fn forward(&self, method: &str, params: Value) -> Result<Value, RpcError> {
        self.connect()?.call(method, params).map_err(error)
    }

    /// A connection for events.
    ///
    /// # Errors
    /// The daemon is not there.
    pub fn connect(&self) -> Result<Client, RpcError> {
        Client::connect(&self.socket).map_err(error)
    }
}

fn error(error: ClientError) -> RpcError {
    match error {
        ClientError::Refused(refused) => refused,
        ClientError::Unreachable(..) | ClientError::Ended | ClientError::Silent => {
            RpcError::new(ErrorKind::Unavailable, error.to_string())
        }
        ClientError::Malformed(_) | ClientError::Io(_) => {
            RpcError::new(ErrorKind::Internal, error.to_string())
        }
    }
}
