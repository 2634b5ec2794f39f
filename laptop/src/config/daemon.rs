//! `daemon.toml`.

use super::reader::{File, Section};
use super::{Finding, MannersConfig, version};
use std::net::IpAddr;
use std::path::PathBuf;

/// Longest name of a network interface, in octets.
const MAX_INTERFACE_LEN: usize = 15;
/// Highest number that a frequency is read as, in MHz.
const MAX_FREQUENCY: u64 = 10_000;

/// Keys that other programs of this kind keep in their file, and the variables that hold them here.
const KEYS: [(&str, &str); 2] = [
    ("openai_api_key", "OPENAI_API_KEY"),
    ("stability_api_key", "STABILITY_API_KEY"),
];

/// The template that a new installation gets: every key with its default. Its man page is made from it.
pub const DAEMON_TEMPLATE: &str = include_str!("../../config/daemon.toml");

/// What `daemon.toml` says of the radio.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WifiDirectConfig {
    /// Whether the laptop owns a group.
    pub enabled: bool,
    /// The interface; without it, the first that can.
    pub interface: Option<String>,
    /// Frequency in MHz; without it, a quiet one.
    pub frequency: Option<u16>,
    /// Port to listen on in the group.
    pub port: u16,
    /// Folder of wpa_supplicant's control sockets; without it, the usual ones.
    pub supplicant: Option<PathBuf>,
}

/// What `daemon.toml` says of USB cables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsbConfig {
    /// Whether handhelds are listened for on them.
    pub enabled: bool,
    /// The interface; without it, each that looks like a handheld's.
    pub interface: Option<String>,
}

/// What `daemon.toml` says of web-service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebConfig {
    /// Whether the page and the control API are served on loopback.
    pub enabled: bool,
    /// Port of both.
    pub port: u16,
    /// Whether the laptop's own programs are served models.
    pub gateway_enabled: bool,
    /// Port for that.
    pub gateway_port: u16,
    /// Whether counts are served beside the page, to whoever asks on loopback.
    pub metrics_enabled: bool,
}

/// What `daemon.toml` says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DaemonConfig {
    /// Name that handhelds show.
    pub device_name: String,
    /// Most handhelds paired at a time.
    pub max_paired_devices: usize,
    /// Days until a pairing has to be renewed.
    pub relationship_days: u32,
    /// Seconds that a person is waited for.
    pub ask_timeout_s: u32,
    /// Whether language operations are offered.
    pub llm_enabled: bool,
    /// Whether picture operations are offered.
    pub image_generation_enabled: bool,
    /// Whether downloads are offered.
    pub fetch_enabled: bool,
    /// Requests a minute of a newly paired device.
    pub requests_per_minute: u32,
    /// Where to listen.
    pub bind_address: IpAddr,
    /// Port to listen on; 0 lets the system choose.
    pub bind_port: u16,
    /// The radio.
    pub wifi_direct: WifiDirectConfig,
    /// USB cables.
    pub usb: UsbConfig,
    /// How devices share the laptop, and what is regarded of its state.
    pub manners: MannersConfig,
    /// Octets that each drop folder may hold.
    pub quota: u64,
    /// Octets of results kept.
    pub keep_bytes: u64,
    /// Seconds that results are kept.
    pub keep_s: i64,
    /// web-service.
    pub web: WebConfig,
}

impl DaemonConfig {
    /// Reads the text of a file called `name`; what is wrong with it goes to `findings`, and its default stands in for it.
    pub fn parse(text: &str, name: &str, findings: &mut Vec<Finding>) -> Self {
        let mut file = File::parse(text, name, findings);
        let mut config = Self {
            device_name: String::new(),
            max_paired_devices: 0,
            relationship_days: 0,
            ask_timeout_s: 0,
            llm_enabled: true,
            image_generation_enabled: true,
            fetch_enabled: true,
            requests_per_minute: 0,
            bind_address: IpAddr::from([127, 0, 0, 1]),
            bind_port: 0,
            wifi_direct: WifiDirectConfig {
                enabled: true,
                interface: None,
                frequency: None,
                port: 0,
                supplicant: None,
            },
            usb: UsbConfig {
                enabled: true,
                interface: None,
            },
            manners: MannersConfig::default(),
            quota: 0,
            keep_bytes: 0,
            keep_s: 0,
            web: WebConfig {
                enabled: true,
                port: 0,
                gateway_enabled: false,
                gateway_port: 0,
                metrics_enabled: false,
            },
        };
        version::check(&mut file);
        file.section("daemon", |section| {
            config.device_name = section.text("device_name", "Laptop Daemon");
            let len = config.device_name.len();
            if len == 0 || len > 64 || config.device_name.chars().any(crate::sanitize::is_hostile) {
                section.error("device_name", "daemon.device_name must be 1 to 64 bytes of visible characters");
            }
            config.max_paired_devices = section.number("max_paired_devices", 8, 1..=64) as usize;
            if section.flag("auto_accept_pairing", false) {
                section.error(
                    "auto_accept_pairing",
                    "there is no auto accept: a person compares six digits for every pairing; set auto_accept_pairing = false",
                );
            }
            config.relationship_days = section.number("relationship_days", 30, 1..=365) as u32;
            config.ask_timeout_s = section.number("ask_timeout_s", 60, 5..=3600) as u32;
        });
        file.section("services", |section| {
            config.llm_enabled = section.flag("llm_enabled", true);
            config.image_generation_enabled = section.flag("image_generation_enabled", true);
            config.fetch_enabled = section.flag("fetch_enabled", true);
            if section.flag("file_torrenting_enabled", false) {
                section.error(
                    "file_torrenting_enabled",
                    "there is no torrent service; set file_torrenting_enabled = false",
                );
            }
        });
        file.section("external_apis", |section| {
            for (key, variable) in KEYS {
                if !section.text(key, "").is_empty() {
                    section.error(
                        key,
                        format!("keys are never in a file: set the environment variable {variable} and write {key} = \"\" here"),
                    );
                }
            }
            config.requests_per_minute =
                section.number("rate_limit_requests_per_minute", 60, 1..=6000) as u32;
        });
        file.section("networking", |section| {
            config.wifi_direct.read(section);
            config.usb.enabled = section.flag("usb_link", true);
            config.usb.interface = interface(section, "usb_interface");
            match section.text("bind_address", "127.0.0.1").parse() {
                Ok(address) => config.bind_address = address,
                Err(_) => section.error(
                    "bind_address",
                    "networking.bind_address must be an IPv4 or IPv6 address such as \"127.0.0.1\" or \"::\"",
                ),
            }
            config.bind_port = section.number("bind_port", 8080, 0..=65535) as u16;
        });
        file.section("manners", |section| config.manners.read(section));
        file.section("files", |section| {
            config.quota = section.number("quota_mb", 512, 1..=1_048_576) << 20;
        });
        file.section("results", |section| {
            config.keep_bytes = section.number("keep_mb", 1024, 16..=1_048_576) << 20;
            config.keep_s = section.number("keep_days", 14, 1..=365) as i64 * 24 * 3600;
        });
        file.section("web", |section| {
            config.web.enabled = section.flag("enabled", true);
            config.web.port = section.number("port", 8145, 1..=65535) as u16;
            config.web.gateway_enabled = section.flag("gateway_enabled", false);
            config.web.gateway_port = section.number("gateway_port", 31145, 1..=65535) as u16;
            config.web.metrics_enabled = section.flag("metrics_enabled", false);
        });
        file.finish();
        config
    }
}

impl WifiDirectConfig {
    fn read(&mut self, section: &mut Section<'_, '_>) {
        self.enabled = section.flag("wifi_direct_enabled", true);
        self.interface = interface(section, "interface");
        let frequency = section.number("frequency", 0, 0..=MAX_FREQUENCY) as u16;
        if !matches!(frequency, 0 | 2412..=2484 | 5180..=5885) {
            section.error(
                "frequency",
                "networking.frequency must be 0 or that of a channel: 2412 to 2484 or 5180 to 5885 MHz",
            );
        }
        self.frequency = Some(frequency).filter(|frequency| *frequency != 0);
        self.port = section.number("wifi_direct_port", 8144, 1..=65535) as u16;
        let folder = PathBuf::from(section.text("supplicant", ""));
        if folder.is_relative() && folder != PathBuf::new() {
            section.error(
                "supplicant",
                "networking.supplicant must be a whole path such as \"/run/wpa_supplicant\", or \"\"",
            );
        }
        self.supplicant = Some(folder).filter(|folder| folder.is_absolute());
    }
}

/// The name of an interface; `None` where it is left empty.
fn interface(section: &mut Section<'_, '_>, key: &'static str) -> Option<String> {
    let name = section.text(key, "");
    let plain = |byte: u8| byte.is_ascii_graphic() && byte != b'/';
    if name.len() > MAX_INTERFACE_LEN || !name.bytes().all(plain) {
        section.error(
            key,
            format!(
                "networking.{key} must be the name of an interface, as `ip link` shows it, or \"\""
            ),
        );
    }
    Some(name).filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::super::Severity;
    use super::*;

    fn parse(text: &str) -> (DaemonConfig, Vec<Finding>) {
        let mut findings = Vec::new();
        let config = DaemonConfig::parse(text, "daemon.toml", &mut findings);
        (config, findings)
    }

    #[test]
    fn the_template_names_every_key_with_its_default() {
        let (defaults, none) = parse("");
        assert!(none.is_empty());
        let (shown, findings) = parse(DAEMON_TEMPLATE);
        assert_eq!(findings, []);
        assert_eq!(shown, defaults);
        assert_eq!(
            (
                defaults.max_paired_devices,
                defaults.bind_port,
                defaults.requests_per_minute
            ),
            (8, 8080, 60)
        );
        // Each key of the template is known: taking its line away leaves the default, spoiling it is noticed.
        for line in DAEMON_TEMPLATE
            .lines()
            .filter(|line| line.contains(" = ") && !line.starts_with('#'))
        {
            let key = line.split(' ').next().expect("a key");
            // One key may be the end of another.
            let spoiled =
                DAEMON_TEMPLATE.replace(&format!("\n{line}\n"), &format!("\n{key} = {{}}\n"));
            assert_eq!(parse(&spoiled).1.len(), 1, "{key}");
        }
    }

    #[test]
    fn unknown_keys_and_sections_are_reported_with_their_line_and_ignored() {
        let (config, findings) = parse("[daemon]\ndevice_nam = 'x'\n\n[radio]\nx = 1\n");
        assert_eq!(config.device_name, "Laptop Daemon");
        let shown: Vec<_> = findings.iter().map(ToString::to_string).collect();
        assert_eq!(
            shown,
            [
                "daemon.toml:2: warning: unknown key device_nam in [daemon]; it is ignored; did you mean device_name?",
                "daemon.toml:4: warning: unknown section [radio]; it is ignored",
            ]
        );
    }

    #[test]
    fn there_is_no_auto_accept_and_it_says_so() {
        let (_, findings) = parse("[daemon]\nauto_accept_pairing = true\n");
        assert_eq!(findings[0].severity, Severity::Error);
        assert!(
            findings[0]
                .to_string()
                .starts_with("daemon.toml:2: error: there is no auto accept")
        );
    }

    #[test]
    fn the_radio_is_on_and_free_to_choose_unless_told_otherwise() {
        let (config, _) = parse("");
        let radio = config.wifi_direct;
        assert!(radio.enabled);
        assert_eq!(
            (radio.interface, radio.frequency, radio.port),
            (None, None, 8144)
        );
        let (config, findings) = parse(
            "[networking]\nwifi_direct_enabled = false\ninterface = 'wlan1'\nfrequency = 2462\n\
             wifi_direct_port = 9000\nsupplicant = '/tmp/wpa'\n",
        );
        assert_eq!(findings, []);
        let radio = config.wifi_direct;
        assert!(!radio.enabled);
        assert_eq!(radio.interface.as_deref(), Some("wlan1"));
        assert_eq!((radio.frequency, radio.port), (Some(2462), 9000));
        assert_eq!(radio.supplicant, Some(PathBuf::from("/tmp/wpa")));
    }

    #[test]
    fn values_out_of_range_and_of_the_wrong_kind_are_reported() {
        for (text, words) in [
            (
                "[networking]\nbind_port = 70000",
                "a number from 0 to 65535",
            ),
            ("[networking]\nbind_port = -1", "a number from 0 to 65535"),
            (
                "[networking]\nbind_address = 'here'",
                "an IPv4 or IPv6 address",
            ),
            (
                "[networking]\ninterface = 'wlan 0'",
                "the name of an interface",
            ),
            ("[networking]\nfrequency = 2400", "that of a channel"),
            (
                "[networking]\nwifi_direct_port = 0",
                "a number from 1 to 65535",
            ),
            ("[networking]\nsupplicant = 'run/wpa'", "a whole path"),
            ("[daemon]\nmax_paired_devices = 0", "a number from 1 to 64"),
            ("[services]\nllm_enabled = 'yes'", "true or false"),
            ("[daemon]\ndevice_name = ''", "visible characters"),
            (
                "[daemon]\ndevice_name = \"a\\u001bb\"",
                "visible characters",
            ),
            (
                "[services]\nfile_torrenting_enabled = true",
                "there is no torrent service",
            ),
            (
                "[external_apis]\nopenai_api_key = 'sk-1'",
                "set the environment variable OPENAI_API_KEY",
            ),
            ("version = 7", "version 7"),
            ("daemon = 3", "daemon is a section"),
            ("[daemon", ""),
        ] {
            let (_, findings) = parse(text);
            assert_eq!(findings.len(), 1, "{text}: {findings:?}");
            assert_eq!(findings[0].severity, Severity::Error);
            assert!(
                findings[0].message.contains(words),
                "{text}: {}",
                findings[0]
            );
        }
    }

    #[test]
    fn numbers_are_read_in_every_spelling() {
        let (config, findings) =
            parse("[networking]\nbind_port = 0x1F90\n[files]\nquota_mb = 1_024\n");
        assert_eq!(findings, []);
        assert_eq!((config.bind_port, config.quota), (8080, 1 << 30));
    }
}
