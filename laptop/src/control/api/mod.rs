//! What the methods of the control socket take and return: one file per family.
//!
//! | method | parameters | result |
//! |---|---|---|
//! | `status` | – | [`Status`] |
//! | `pair.open` | – | [`PairReport`] |
//! | `pair.type` | [`Digits`] | [`PairStatus`] |
//! | `pair.cancel` | – | [`PairStatus`] |
//! | `pair.status` | – | [`PairReport`] |
//! | `devices.list` | – | list of [`Device`] |
//! | `devices.show` | [`DeviceName`] | [`DeviceDetail`] |
//! | `devices.rename` | [`Rename`] | [`Device`] |
//! | `devices.permit` | [`Permit`] | [`DeviceDetail`] |
//! | `devices.limit` | [`Limit`] | [`DeviceDetail`] |
//! | `devices.revoke` | [`DeviceName`] | [`Device`] |
//! | `devices.renew` | [`Renew`] | [`Device`] |
//! | `callers.add` | [`NewCaller`] | [`AddedCaller`], with the key, once |
//! | `callers.list` | – | list of [`Caller`] |
//! | `callers.show` | [`DeviceName`] | [`CallerDetail`] |
//! | `callers.permit` | [`Permit`] | [`CallerDetail`] |
//! | `callers.limit` | [`Limit`] | [`CallerDetail`] |
//! | `callers.revoke` | [`DeviceName`] | [`Caller`] |
//! | `gateway.models` | [`GatewayKey`] | then events: [`GatewayEvent`] |
//! | `gateway.chat` | [`GatewayChat`] | then events: [`GatewayEvent`] |
//! | `gateway.complete` | [`GatewayText`] | then events: [`GatewayEvent`] |
//! | `gateway.embed` | [`GatewayEmbed`] | then events: [`GatewayEvent`] |
//! | `gateway.image` | [`GatewayImage`] | then events: [`GatewayEvent`] |
//! | `pending.list` | – | list of [`Pending`] |
//! | `approve`, `deny` | [`PendingId`] | [`Pending`] |
//! | `watch` | – | then events: [`Event`] |
//! | `ledger.verify` | – | [`LedgerReport`] |
//! | `ledger.read` | [`LedgerRange`] | [`LedgerPart`] |
//! | `models` | – | list of [`Model`] |
//! | `models.enable`, `models.disable` | [`ModelId`] | list of [`Model`] |
//! | `services.list` | – | list of [`ServiceReport`] |
//! | `services.test` | – | list of [`ProviderReport`] |
//! | `files.list` | [`FileName`] | list of [`FileEntry`] |
//! | `files.read` | [`FileRead`] | [`FilePiece`] |
//! | `files.write` | [`FileWrite`] | the path |
//! | `files.remove` | [`FileName`] | the path |
//! | `config.check` | – | list of texts |
//! | `config.show` | – | [`ConfigReport`] |
//! | `config.reload` | – | [`ReloadReport`] |
//! | `config.read` | [`ConfigName`] | [`ConfigText`] |
//! | `config.try` | [`ConfigDraft`] | list of texts |
//! | `config.write` | [`ConfigDraft`] | [`ReloadReport`] |
//! | `logs` | [`LogRange`] | [`LogLines`] |
//! | `activity` | [`ActivityRange`] | [`Activity`] |
//! | `usage` | [`UsageRange`] | [`UsageReport`] |
//! | `providers.list` | – | list of [`Provider`] |
//! | `page.login` | – | [`PageLogin`] |
//! | `page.redeem` | [`PageCode`] | – |
//! | `tokens.list` | – | list of [`Token`] |
//! | `tokens.make` | [`NewToken`] | [`MadeToken`] |
//! | `tokens.revoke` | [`TokenName`] | [`Token`] |
//! | `tokens.check` | [`TokenSecret`] | [`Token`] |
//! | `methods` | – | list of [`MethodInfo`] |
//!
//! Names that came from devices or providers are as they are: whoever shows them escapes them.

mod activity;
mod caller;
mod config;
mod device;
mod event;
mod file;
mod gateway;
mod ledger;
mod log;
mod method;
mod model;
mod page;
mod pairing;
mod provider;
mod request;
mod service;
mod status;

pub use activity::{
    Activity, ActivityRange, DeviceUsage, PastRequest, PastWant, UsageRange, UsageReport,
};
pub use caller::{AddedCaller, Allowance, Caller, CallerDetail, NewCaller};
pub use config::{ConfigDraft, ConfigName, ConfigReport, ConfigText, ReloadReport, Setting};
pub use device::{Device, DeviceDetail, DeviceName, Limit, Permit, Rename, Renew};
pub use event::Event;
pub use file::{FileEntry, FileName, FilePiece, FileRead, FileWrite, MAX_PIECE_LEN};
pub use gateway::{
    GatewayChat, GatewayEmbed, GatewayEvent, GatewayFault, GatewayImage, GatewayKey,
    GatewayMessage, GatewayText, Sampling, Secret, Speaker,
};
pub use ledger::{LedgerPart, LedgerRange, LedgerReport};
pub use log::{LogLines, LogRange};
pub use method::{MethodInfo, PAGE_ALONE};
pub use model::{Model, ModelId};
pub use page::{MadeToken, NewToken, PageCode, PageLogin, Token, TokenName, TokenSecret};
pub use pairing::{Digits, Network, PairReport, PairStatus};
pub use provider::Provider;
pub use request::{Pending, PendingId};
pub use service::{ProviderReport, ProviderState, ServiceReport};
pub use status::{Carrier, Status};

use serde::{Deserialize, Serialize};

/// What a caller has to be allowed for a method.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Access {
    /// To look.
    Read,
    /// To change things, and to be told secrets.
    Full,
}
