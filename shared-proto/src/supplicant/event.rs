//! What wpa_supplicant says by itself on a control socket (`src/common/wpa_ctrl.h`, version 2.10).

use alloc::string::String;
use alloc::vec::Vec;

use super::text::{Mac, Secret};

/// One message of a control socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The interface it concerns, where it came over the global socket.
    pub interface: Option<String>,
    /// Priority: 0 excessive, 1 message dump, 2 debug, 3 info, 4 warning, 5 error.
    pub level: u8,
    /// What happened.
    pub event: Event,
}

/// Role in a P2P group.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Role {
    /// Group owner.
    #[default]
    Owner,
    /// Client.
    Client,
}

/// A P2P device that was found, or that asks. Names are peer text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Device {
    /// P2P device address.
    pub device: Mac,
    /// Address that spoke: of an operating group owner its interface address.
    pub interface: Mac,
    /// Device name.
    pub name: String,
    /// Primary device type, `1-0050F204-1` for a computer.
    pub kind: String,
    /// WPS configuration methods.
    pub config_methods: u16,
    /// Device capability bits.
    pub device_capability: u8,
    /// Group capability bits; bit 0 says that it owns a group.
    pub group_capability: u8,
    /// Group interface that was asked, where one was.
    pub group: Option<String>,
}

impl Device {
    /// It owns a group (P2P specification, group capability bitmap, bit 0).
    #[must_use]
    pub const fn owns_group(&self) -> bool {
        self.group_capability & 1 != 0
    }
}

/// A P2P group that has begun.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Group {
    /// Its interface.
    pub interface: String,
    /// Our role.
    pub role: Role,
    /// Network name.
    pub ssid: Vec<u8>,
    /// In MHz.
    pub frequency: u16,
    /// Passphrase, where it was told.
    pub passphrase: Option<Secret>,
    /// Key of 64 hexadecimal digits, where that was told instead.
    pub psk: Option<Secret>,
    /// Device address of the owner.
    pub owner: Mac,
    /// It is persistent.
    pub persistent: bool,
}

/// What happened. Status and reason codes are those of IEEE 802.11, P2P status codes those of the P2P specification; where a
/// line has none, they are 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    // The supplicant and its interface.
    /// The supplicant ends, or lets go of this interface.
    Terminating,
    /// The interface is up.
    InterfaceEnabled,
    /// The interface is down: rfkill, or somebody took it down.
    InterfaceDisabled,
    /// The state has changed (Android's builds only).
    StateChange {
        /// Place in `enum wpa_states`; 9 is complete.
        state: u8,
        /// Access point.
        bssid: Option<Mac>,
    },
    /// The regulatory domain has changed.
    RegdomChange {
        /// Country code; empty where it is none, as for the world.
        alpha2: String,
    },
    // Scanning.
    /// A scan has begun.
    ScanStarted,
    /// A scan has ended; what it found can be asked for.
    ScanResults,
    /// A scan could not begin.
    ScanFailed {
        /// Negative errno; -16 is busy.
        code: i32,
        /// The supplicant tries again by itself.
        retry: bool,
    },
    /// A network was heard for the first time.
    BssAdded {
        /// Its address.
        bssid: Mac,
    },
    /// A network was not heard for long, or was flushed.
    BssRemoved {
        /// Its address.
        bssid: Mac,
    },
    /// A scan has ended without any of the enabled networks.
    NetworkNotFound,
    // A station's connection.
    /// The station is joined, keys and all.
    Connected {
        /// Access point.
        bssid: Mac,
        /// Network block.
        network: Option<u32>,
    },
    /// The station is no longer joined.
    Disconnected {
        /// Access point.
        bssid: Option<Mac>,
        /// Reason code: [`super::reason`].
        reason: u16,
        /// This side ended it.
        local: bool,
    },
    /// The access point refused the association.
    AssocReject {
        /// Access point.
        bssid: Option<Mac>,
        /// Status code: [`super::status`].
        status: u16,
        /// It did not answer.
        timeout: bool,
    },
    /// The access point refused the authentication.
    AuthReject {
        /// Access point.
        bssid: Option<Mac>,
        /// Status code: [`super::status`].
        status: u16,
    },
    /// A network block is left alone for a while, after failures.
    TempDisabled {
        /// Network block.
        network: Option<u32>,
        /// Its name.
        ssid: Vec<u8>,
        /// How many.
        failures: u32,
        /// For how long.
        seconds: u32,
        /// `WRONG_KEY`, `CONN_FAILED`, `AUTH_FAILED`, `NO_PSK_AVAILABLE`.
        reason: String,
    },
    /// A network block is no longer left alone.
    Reenabled {
        /// Network block.
        network: Option<u32>,
    },
    /// The signal has crossed the threshold of `SIGNAL_MONITOR`.
    SignalChange {
        /// It lies above now.
        above: bool,
        /// Strength.
        dbm: i16,
        /// Rate of sending, in kbit/s.
        rate_kbps: u32,
    },
    /// Beacons of the access point fail to come.
    BeaconLoss,
    /// The channel changes, or has changed.
    ChannelSwitch {
        /// New channel, in MHz.
        frequency: u16,
    },
    // Access point.
    /// Our network is up.
    ApEnabled,
    /// Our network is down.
    ApDisabled,
    /// Our network has moved to another channel.
    ChannelSwitchFinished {
        /// New channel, in MHz.
        frequency: u16,
    },
    /// A station has joined our network.
    StationConnected {
        /// Its address.
        station: Mac,
        /// Its P2P device address, where it has told one.
        device: Option<Mac>,
    },
    /// A station has left our network.
    StationDisconnected {
        /// Its address.
        station: Mac,
        /// Its P2P device address, where it has told one.
        device: Option<Mac>,
    },
    /// A station tried our network with another key.
    PskMismatch {
        /// Its address.
        station: Mac,
    },
    // WPS.
    /// An access point is heard whose button is pushed.
    PbcAvailable,
    /// Our button is pushed: one station may come in within two minutes.
    PbcActive,
    /// Our button is no longer pushed.
    PbcDisabled,
    /// Two stations came at a time with their buttons pushed; neither is let in.
    WpsOverlap,
    /// Nobody came within two minutes, or the button was let go.
    WpsTimeout,
    /// A key was handed over.
    WpsSuccess,
    /// No key was handed over.
    WpsFailed {
        /// Message at which it failed (`enum wps_msg_type`).
        message: u8,
        /// Configuration error (Wi-Fi Simple Configuration, table 34).
        error: u16,
    },
    /// The key has come; the line holds it, this does not.
    WpsCredential,
    /// A station has its key from us.
    WpsRegistered {
        /// Its address.
        station: Mac,
    },
    /// A station is heard that looks for a key.
    WpsEnrolleeSeen {
        /// Its address.
        station: Mac,
    },
    // P2P.
    /// A device was found, or has changed.
    DeviceFound(Device),
    /// A device was not heard for long, or was flushed.
    DeviceLost {
        /// Its device address.
        device: Mac,
    },
    /// The search has ended.
    FindStopped,
    /// A device asks to join by push button. It says so before anybody has pushed anything, and mostly twice.
    ProvDiscPbcRequest(Device),
    /// A device that was asked is ready for the push of its button.
    ProvDiscPbcResponse {
        /// Its device address.
        device: Mac,
    },
    /// A device asks for a PIN that would be shown here. Never used.
    ProvDiscShowPin {
        /// Its device address.
        device: Mac,
    },
    /// A device asks for a PIN to be entered here. Never used.
    ProvDiscEnterPin {
        /// Its device address.
        device: Mac,
    },
    /// A device that was asked refused, or did not answer.
    ProvDiscFailed {
        /// Its device address.
        device: Mac,
        /// Status of provision discovery; 0 also for `N/A`.
        status: u16,
    },
    /// A device wants to negotiate a group. Never accepted: laptops own theirs.
    GoNegRequest {
        /// Its device address.
        device: Mac,
    },
    /// A group was negotiated.
    GoNegSuccess,
    /// No group was negotiated.
    GoNegFailed {
        /// P2P status code; 0 also for none.
        status: u16,
    },
    /// A join has its key; the connection comes next.
    GroupFormed,
    /// A join came to nothing.
    GroupFormationFailed,
    /// A group runs.
    GroupStarted(Group),
    /// A group is gone.
    GroupRemoved {
        /// Its interface.
        interface: String,
        /// Our role in it.
        role: Role,
        /// `REQUESTED`, `UNAVAILABLE`, `FORMATION_FAILED`, `IDLE`, `PSK_FAILURE`, `FREQ_CONFLICT`, `GO_ENDING_SESSION` or empty.
        reason: String,
    },
    /// A group moves by being made anew.
    GroupReform,
    /// A device invites us into a group. Never accepted.
    InvitationReceived,
    /// An invitation was accepted.
    InvitationAccepted,
    /// An invitation of ours was answered.
    InvitationResult {
        /// P2P status code; -1 for none.
        status: i32,
    },
    /// The key of a persistent group no longer fits.
    PersistentPskFailed {
        /// Network block.
        network: Option<u32>,
    },
    /// There was no group to join.
    FallbackToGoNeg,
    /// Traffic of a group is routed elsewhere, or no longer. Never by us.
    CrossConnect,
    /// Service discovery, which is not used.
    ServiceDiscovery,
    /// Answer to a request for presence, which is not used.
    PresenceResponse,
    /// P2P services, which are not used.
    P2ps,
    /// Near-field communication, which is not used.
    P2pNfc,
    /// Listening in the driver has stopped, which is not used.
    ListenOffload,
    /// Anything else, by its first word as far as that is printable, up to 48 characters. What follows is dropped, since
    /// it may hold keys (`DPP-CONFOBJ-PASS`).
    Other(String),
}
