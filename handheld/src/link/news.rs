//! What the laptop says, in the app's types. Peer text passes as it is: it is escaped where it is shown.

use shared_proto::message::{LedgerHead, Link, Standing, models};
use shared_proto::opcode::Service;
use shared_proto::pairing::LinkInfo;
use shared_proto::session::ClientEvent;

use super::LinkEvent;
use crate::app::model::laptop::{ModelInfo, Permission, ServiceKind, Verdict};
use crate::app::model::{Carrier, Clock, Network};
use crate::app::msg::Welcome;
use crate::time::Millis;

/// The app's event for one of the session's, if the app needs to hear of it.
/// Data, uploads and ends of requests are handled by [`super::talk`].
pub fn told(
    event: ClientEvent<'_>,
    carrier: &Carrier,
    seen: &LedgerHead,
    now: Millis,
) -> Option<LinkEvent> {
    Some(match event {
        ClientEvent::Welcome(welcome) => {
            let (permissions, models) = standing(&welcome.standing);
            LinkEvent::Welcome(Box::new(Welcome {
                // The driver knows whom it called.
                laptop: None,
                carrier: Some(carrier.clone()),
                signal: None,
                network: network(&welcome.link),
                name: welcome.name.to_owned(),
                clock: Some(Clock {
                    unix: welcome.time_ms / 1000,
                    at: now,
                    offset_minutes: welcome.utc_offset_min,
                }),
                floor: shared_proto::message::RequestId(welcome.floor),
                expires_in_s: welcome.standing.expires_in_s,
                permissions,
                models,
                ledger: welcome.ledger,
                ledger_cut: (!welcome.ledger.follows(seen)).then_some(*seen),
            }))
        }
        ClientEvent::Notice(news) => {
            let (permissions, models) = standing(&news);
            LinkEvent::Notice {
                permissions,
                models,
            }
        }
        ClientEvent::Accepted(id) => LinkEvent::Accepted(id),
        ClientEvent::Awaiting(awaiting) => LinkEvent::Awaiting {
            id: awaiting.id,
            expires_in_s: awaiting.expires_in_ms.div_ceil(1000),
        },
        ClientEvent::Queued(queued) => LinkEvent::Queued {
            id: queued.id,
            ahead: queued.ahead,
            busy: queued.busy,
        },
        ClientEvent::Started(started) => LinkEvent::Started {
            id: started.id,
            model: started.model.to_owned(),
        },
        ClientEvent::Progress(progress) => LinkEvent::Progress {
            id: progress.id,
            op: progress.op,
            permille: progress.permille.min(1000),
            eta_s: progress.eta_ms.map(|ms| ms.div_ceil(1000)),
        },
        ClientEvent::RoundTrip(ms) => {
            log::debug!("the laptop answered after {ms} ms");
            return None;
        }
        ClientEvent::Renewed(_)
        | ClientEvent::Data(_)
        | ClientEvent::UploadWanted(_)
        | ClientEvent::Done(_)
        | ClientEvent::Failed(_) => return None,
    })
}

/// The network that a laptop tells of in its greeting, if it has one.
pub fn network(link: &Link<'_>) -> Option<Network> {
    (!link.ssid.is_empty()).then(|| Network {
        ssid: link.ssid.to_vec(),
        passphrase: link.passphrase.to_owned(),
        frequency: link.frequency,
        port: link.port,
    })
}

/// The network that a laptop tells of in a pairing, if it has one.
pub fn granted(link: &LinkInfo) -> Option<Network> {
    network(&Link {
        carrier: "",
        ssid: &link.ssid,
        passphrase: &link.passphrase,
        frequency: link.frequency,
        port: link.port,
    })
}

fn standing(standing: &Standing<'_>) -> (Vec<Permission>, Vec<ModelInfo>) {
    let permissions = standing
        .permissions
        .iter()
        .map(|allowance| Permission {
            service: kind(allowance.operation.service()),
            operation: allowance.operation.name().to_owned(),
            verdict: match allowance.verdict {
                shared_proto::message::Verdict::Deny => Verdict::Deny,
                shared_proto::message::Verdict::Ask => Verdict::Ask,
                shared_proto::message::Verdict::Allow => Verdict::Allow,
            },
            left_today: allowance.left,
        })
        .collect();
    let models = models(standing.models)
        .map(|model| ModelInfo {
            service: kind(model.service),
            id: model.id.to_owned(),
            label: model.label.to_owned(),
        })
        .collect();
    (permissions, models)
}

const fn kind(service: Service) -> ServiceKind {
    match service {
        Service::Language => ServiceKind::Language,
        Service::Image => ServiceKind::Image,
        Service::Files => ServiceKind::Files,
        Service::System => ServiceKind::System,
    }
}
