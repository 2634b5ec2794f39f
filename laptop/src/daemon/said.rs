//! What a handheld said, owned.

use shared_proto::limits::MAX_NAME_LEN;
use shared_proto::message::{LedgerHead, RequestId, Resume, Screen, clip};
use shared_proto::session::ServerEvent;

/// Something the handheld said, kept until the session machine is free again.
#[allow(clippy::large_enum_variant)] // A few live at a time, and only until they are acted on.
pub(super) enum Said {
    Hello {
        screen: Screen,
        formats: u8,
        app: String,
        ledger: LedgerHead,
    },
    Submit {
        id: RequestId,
        program: Vec<u8>,
        signature: Vec<u8>,
    },
    Resume(Box<Resume>),
    Cancel(RequestId),
    Ack(RequestId),
    Upload {
        id: RequestId,
        slot: u8,
        offset: u64,
        raw_len: u32,
        bytes: Vec<u8>,
    },
    Credit,
    Renew(Vec<u8>),
    Farewell,
}

impl Said {
    pub(super) fn of(event: ServerEvent<'_>) -> Self {
        match event {
            ServerEvent::Hello(hello) => {
                let app = clip(hello.app, MAX_NAME_LEN).to_owned();
                Self::Hello {
                    screen: hello.screen,
                    formats: hello.formats,
                    app,
                    ledger: hello.ledger,
                }
            }
            ServerEvent::Submit(submit) => Self::Submit {
                id: submit.id,
                program: submit.program.to_vec(),
                signature: submit.signature.to_vec(),
            },
            ServerEvent::Resume(resume) => Self::Resume(Box::new(resume)),
            ServerEvent::Cancel(id) => Self::Cancel(id),
            ServerEvent::Ack(id) => Self::Ack(id),
            ServerEvent::Upload(data) => Self::Upload {
                id: data.id,
                slot: data.slot,
                offset: data.offset,
                raw_len: data.raw_len,
                bytes: data.bytes.to_vec(),
            },
            ServerEvent::Credit(_) => Self::Credit,
            ServerEvent::Renew(step) => Self::Renew(step.to_vec()),
            ServerEvent::Farewell => Self::Farewell,
        }
    }
}
