//! Firewalls between the group and its socket: ufw and firewalld, read from their files and never run or changed.
//!
//! Handhelds come from link-local addresses over an interface whose name changes with every group, so the rules asked
//! for name the port and, where the tool can say it, the link-local prefix. The socket itself is bound to the group's
//! interface: such a rule lets nobody else in.

use std::fs;
use std::io;
use std::path::Path;

/// What a firewall does with one port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Passage {
    /// Lets handhelds in.
    Open,
    /// Keeps them out.
    Closed,
    /// Only root may read its rules.
    Unreadable,
}

/// A firewall that is on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Firewall {
    /// The name of its tool.
    pub name: &'static str,
    /// What it does with TCP to the port.
    pub tcp: Passage,
    /// What it does with UDP to the port, by which a handheld asks for the laptop's address.
    pub udp: Passage,
    /// The command that lets both in.
    pub remedy: String,
}

/// What the files of the firewalls say. `None`: there is no such file; an error: it may not be read.
#[derive(Debug, Default)]
pub struct Files {
    /// `/etc/ufw/ufw.conf`.
    pub ufw: Option<io::Result<String>>,
    /// `/etc/default/ufw`.
    pub ufw_defaults: Option<io::Result<String>>,
    /// `/etc/ufw/user6.rules`.
    pub ufw_rules: Option<io::Result<String>>,
    /// Whether firewalld is running.
    pub firewalld: bool,
    /// `/etc/firewalld/firewalld.conf`.
    pub firewalld_config: Option<io::Result<String>>,
    /// Its default zone, from `/etc/firewalld/zones` or `/usr/lib/firewalld/zones`.
    pub firewalld_zone: Option<io::Result<String>>,
}

impl Files {
    /// Reads them below `root`, which is `/` but in tests.
    pub fn read(root: &Path) -> Self {
        let read = |path: &str| {
            let text = fs::read_to_string(root.join(path));
            (!matches!(&text, Err(error) if error.kind() == io::ErrorKind::NotFound))
                .then_some(text)
        };
        let firewalld_config = read("etc/firewalld/firewalld.conf");
        let zone = match &firewalld_config {
            Some(Ok(text)) => setting(text, "DefaultZone").unwrap_or("public").to_owned(),
            _ => "public".to_owned(),
        };
        let plain = zone
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte));
        Self {
            ufw: read("etc/ufw/ufw.conf"),
            ufw_defaults: read("etc/default/ufw"),
            ufw_rules: read("etc/ufw/user6.rules"),
            firewalld: super::check::runs(root, "firewalld"),
            firewalld_zone: plain
                .then(|| {
                    read(&format!("etc/firewalld/zones/{zone}.xml"))
                        .or_else(|| read(&format!("usr/lib/firewalld/zones/{zone}.xml")))
                })
                .flatten(),
            firewalld_config,
        }
    }

    /// The firewalls that are on, and what they do with `port`.
    pub fn judge(&self, port: u16) -> Vec<Firewall> {
        let mut on = Vec::new();
        if matches!(&self.ufw, Some(Ok(text)) if setting(text, "ENABLED").is_some_and(|word| word.eq_ignore_ascii_case("yes")))
        {
            on.push(self.ufw(port));
        }
        if self.firewalld {
            on.push(self.firewalld(port));
        }
        on
    }

    fn ufw(&self, port: u16) -> Firewall {
        let defaults = match &self.ufw_defaults {
            Some(Ok(text)) => text.as_str(),
            _ => "",
        };
        let blind = setting(defaults, "IPV6").is_some_and(|word| word.eq_ignore_ascii_case("no"));
        let otherwise = match setting(defaults, "DEFAULT_INPUT_POLICY") {
            Some("ACCEPT") => Passage::Open,
            _ => Passage::Closed,
        };
        let judge = |protocol| match &self.ufw_rules {
            _ if blind => Passage::Closed,
            None => otherwise,
            Some(Err(_)) => Passage::Unreadable,
            Some(Ok(rules)) => rules
                .lines()
                .find_map(|line| ufw_rule(line, protocol, port))
                .unwrap_or(otherwise),
        };
        Firewall {
            name: "ufw",
            tcp: judge("tcp"),
            udp: judge("udp"),
            remedy: if blind {
                format!(
                    "sudo sed -i 's/^IPV6=.*/IPV6=yes/' /etc/default/ufw && sudo ufw reload && sudo ufw allow from fe80::/10 to any port {port}"
                )
            } else {
                format!("sudo ufw allow from fe80::/10 to any port {port}")
            },
        }
    }

    fn firewalld(&self, port: u16) -> Firewall {
        let judge = |protocol| match (&self.firewalld_config, &self.firewalld_zone) {
            (Some(Err(_)), _) | (_, Some(Err(_))) => Passage::Unreadable,
            (_, None) => Passage::Closed,
            (_, Some(Ok(zone))) => firewalld_zone(zone, protocol, port),
        };
        Firewall {
            name: "firewalld",
            tcp: judge("tcp"),
            udp: judge("udp"),
            remedy: format!(
                "sudo firewall-cmd --permanent --add-port={port}/tcp --add-port={port}/udp && sudo firewall-cmd --reload"
            ),
        }
    }
}

/// The value of `name` in a file of `NAME=value` lines, without quotes.
fn setting<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let value = text.lines().find_map(|line| {
        line.trim()
            .strip_prefix(name)?
            .trim_start()
            .strip_prefix('=')
    })?;
    Some(value.trim().trim_matches(['"', '\'']))
}

/// What one line of `user6.rules` does, if it is about this port. ufw keeps each rule as
/// `### tuple ### ACTION PROTOCOL PORT TO PORT FROM [APPLICATIONS] DIRECTION`; the first one that fits counts.
fn ufw_rule(line: &str, protocol: &str, port: u16) -> Option<Passage> {
    let mut words = line
        .trim()
        .strip_prefix("### tuple ###")?
        .split_whitespace();
    let (action, over, ports, to) = (words.next()?, words.next()?, words.next()?, words.next()?);
    let (_, from) = (words.next()?, words.next()?);
    let direction = words
        .take_while(|word| !word.starts_with("comment="))
        .last()?;
    // A rule for one interface counts if that can be the group's.
    let interface = match direction.strip_prefix("in")? {
        "" => true,
        named => named.starts_with("_p2p-") || named == "_+",
    };
    // A route rule is about what passes through, not about what comes in.
    let fits = interface
        && !action.starts_with("route:")
        && (over == "any" || over == protocol)
        && ports_hold(ports, [',', ':'], port)
        && ["::/0", "any"].contains(&to)
        && ["::/0", "any", "fe80::/10", "fe80::/64"].contains(&from);
    fits.then(|| match action.split('_').next() {
        Some("allow" | "limit") => Passage::Open,
        _ => Passage::Closed,
    })
}

/// What firewalld's zone does. It is read as the few elements that matter, not as XML in general.
fn firewalld_zone(zone: &str, protocol: &str, port: u16) -> Passage {
    let elements = || {
        zone.split('<')
            .filter_map(|piece| piece.split_once('>').map(|(element, _)| element))
    };
    let accepts = elements().any(|element| {
        element.starts_with("zone ") && attribute(element, "target") == Some("ACCEPT")
    });
    let opened = elements().any(|element| {
        element.starts_with("port ")
            && attribute(element, "protocol") == Some(protocol)
            && attribute(element, "port").is_some_and(|ports| ports_hold(ports, [',', '-'], port))
    });
    if accepts || opened {
        Passage::Open
    } else {
        Passage::Closed
    }
}

fn attribute<'a>(element: &'a str, name: &str) -> Option<&'a str> {
    let value = element
        .split_whitespace()
        .find_map(|word| word.strip_prefix(name)?.strip_prefix('='))?;
    Some(value.trim_end_matches('/').trim_matches(['"', '\'']))
}

/// Whether a list of ports and ranges, such as `22,8000:9000`, holds `port`.
fn ports_hold(ports: &str, [between, through]: [char; 2], port: u16) -> bool {
    ports == "any"
        || ports
            .split(between)
            .any(|part| match part.split_once(through) {
                Some((first, last)) => match (first.parse(), last.parse()) {
                    (Ok(first), Ok(last)) => (first..=last).contains(&port),
                    _ => false,
                },
                None => part.parse() == Ok(port),
            })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn denied() -> io::Error {
        io::Error::from(io::ErrorKind::PermissionDenied)
    }

    fn ufw(rules: Option<io::Result<String>>, defaults: &str) -> Files {
        Files {
            ufw: Some(Ok("# note\nENABLED=yes\nLOGLEVEL=low\n".to_owned())),
            ufw_defaults: Some(Ok(defaults.to_owned())),
            ufw_rules: rules,
            ..Files::default()
        }
    }

    const DEFAULTS: &str = "IPV6=yes\nDEFAULT_INPUT_POLICY=\"DROP\"\n";

    fn with_rule(rule: &str) -> (Passage, Passage) {
        let rules = format!(
            "*filter\n:ufw6-user-input - [0:0]\n### RULES ###\n\n### tuple ### {rule}\n-A ufw6-user-input -j ACCEPT\nCOMMIT\n"
        );
        let found = ufw(Some(Ok(rules)), DEFAULTS).judge(8144);
        (found[0].tcp, found[0].udp)
    }

    #[test]
    fn ufw_rules_as_it_writes_them() {
        use Passage::{Closed, Open};
        for (rule, expected) in [
            ("allow any 8144 ::/0 any fe80::/10 in", (Open, Open)),
            ("allow tcp 8144 ::/0 any ::/0 in", (Open, Closed)),
            ("allow any 8144 ::/0 any ::/0 in_p2p-wlan0-+", (Open, Open)),
            (
                "allow any any ::/0 any ::/0 in_p2p-wlan0-0 comment=6f6b",
                (Open, Open),
            ),
            ("limit tcp 8000:9000 ::/0 any ::/0 in", (Open, Closed)),
            ("allow_log-all udp 53,8144 ::/0 any ::/0 in", (Closed, Open)),
            (
                "allow tcp 80,443 ::/0 any ::/0 Nginx%20Full - in",
                (Closed, Closed),
            ),
            ("allow any 8144 ::/0 any ::/0 in_eth0", (Closed, Closed)),
            ("allow any 8144 ::/0 any ::/0 out", (Closed, Closed)),
            ("allow any 8144 ::/0 any 2001:db8::/32 in", (Closed, Closed)),
            ("deny tcp 8144 ::/0 any ::/0 in", (Closed, Closed)),
            ("route:deny any 8144 ::/0 any ::/0 in", (Closed, Closed)),
            ("allow", (Closed, Closed)),
        ] {
            assert_eq!(with_rule(rule), expected, "{rule}");
        }
    }

    #[test]
    fn the_first_fitting_rule_counts() {
        let rules = "### tuple ### route:deny udp 8144 ::/0 any ::/0 in\n### tuple ### deny tcp 8144 ::/0 any ::/0 in\n### tuple ### allow any 8144 ::/0 any ::/0 in\n";
        let found = ufw(Some(Ok(rules.to_owned())), DEFAULTS).judge(8144);
        assert_eq!(
            (found[0].tcp, found[0].udp),
            (Passage::Closed, Passage::Open)
        );
    }

    #[test]
    fn ufw_that_is_off_or_lets_all_in_is_no_barrier() {
        let mut off = ufw(None, DEFAULTS);
        off.ufw = Some(Ok("ENABLED=no\n".to_owned()));
        assert_eq!(off.judge(8144), []);
        let open = ufw(None, "IPV6=yes\nDEFAULT_INPUT_POLICY=\"ACCEPT\"\n").judge(8144);
        assert_eq!(open[0].tcp, Passage::Open);
    }

    #[test]
    fn ufw_without_ipv6_is_switched_on_first() {
        let allowed = "### tuple ### allow any 8144 ::/0 any ::/0 in\n".to_owned();
        let found = ufw(Some(Ok(allowed)), "IPV6=no\n").judge(8144);
        assert_eq!(found[0].tcp, Passage::Closed);
        assert!(found[0].remedy.contains("IPV6=yes"), "{}", found[0].remedy);
    }

    #[test]
    fn rules_that_only_root_reads_are_said_to_be_unknown() {
        let found = ufw(Some(Err(denied())), DEFAULTS).judge(8144);
        assert_eq!(found[0].tcp, Passage::Unreadable);
        assert_eq!(
            found[0].remedy,
            "sudo ufw allow from fe80::/10 to any port 8144"
        );
        let found = Files {
            firewalld: true,
            firewalld_config: Some(Err(denied())),
            ..Files::default()
        }
        .judge(8144);
        assert_eq!(found[0].tcp, Passage::Unreadable);
    }

    #[test]
    fn firewalld_zones_as_they_are_shipped() {
        use Passage::{Closed, Open};
        for (zone, expected) in [
            (
                "<zone>\n<service name=\"ssh\"/>\n<forward/>\n</zone>",
                (Closed, Closed),
            ),
            (
                "<zone target=\"ACCEPT\">\n<short>Trusted</short>\n</zone>",
                (Open, Open),
            ),
            ("<zone target=\"DROP\"></zone>", (Closed, Closed)),
            (
                "<zone><port protocol=\"udp\" port=\"1025-65535\"/><port protocol=\"tcp\" port=\"1025-65535\"/></zone>",
                (Open, Open),
            ),
            (
                "<zone><port port=\"8144\" protocol=\"tcp\"/></zone>",
                (Open, Closed),
            ),
            ("<zone><port port=\"\" protocol=\"tcp\"", (Closed, Closed)),
        ] {
            let files = Files {
                firewalld: true,
                firewalld_zone: Some(Ok(zone.to_owned())),
                ..Files::default()
            };
            let found = files.judge(8144);
            assert_eq!((found[0].tcp, found[0].udp), expected, "{zone}");
        }
    }

    proptest! {
        #[test]
        fn no_file_makes_it_panic(rules in ".{0,200}", zone in ".{0,200}") {
            let mut files = ufw(Some(Ok(format!("### tuple ### {rules}"))), &rules);
            files.firewalld = true;
            files.firewalld_zone = Some(Ok(zone));
            prop_assert_eq!(files.judge(8144).len(), 2);
        }
    }
}
