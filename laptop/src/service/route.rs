//! Which provider gets a request that leaves the choice open: a pure question of mode, address and load.

use std::net::IpAddr;

/// How a provider is chosen where a request names none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// Only providers on this machine or its own network are offered at all; nothing else is ever asked.
    LocalOnly,
    /// Those first, then the others, each in the order in which they are known.
    #[default]
    PreferLocal,
    /// Only those of the owner's list, in its order. Others are asked where a request names them.
    Named,
    /// The least busy one; between equals each in turn.
    Balance,
}

impl Mode {
    /// All of them.
    pub const ALL: [Self; 4] = [
        Self::PreferLocal,
        Self::LocalOnly,
        Self::Named,
        Self::Balance,
    ];

    /// The word in `services.toml`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::LocalOnly => "local-only",
            Self::PreferLocal => "prefer-local",
            Self::Named => "named",
            Self::Balance => "balance",
        }
    }
}

/// The owner's choice.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Routing {
    /// How.
    pub mode: Mode,
    /// Names in order, for [`Mode::Named`].
    pub order: Vec<String>,
}

/// A provider as far as the choice needs to know it.
#[derive(Clone, Copy, Debug)]
pub struct Candidate<'a> {
    /// Its name in model ids.
    pub name: &'a str,
    /// Whether its address is local, as [`is_local`] says.
    pub local: bool,
    /// Requests that it works on for this service.
    pub busy: usize,
}

impl Routing {
    /// Whether a provider may be asked at all, by whatever name.
    pub fn offers(&self, local: bool) -> bool {
        local || self.mode != Mode::LocalOnly
    }

    /// Places in `candidates`, those to be asked first in front; those never to be asked unnamed are left out. `turn`
    /// is any number that rises by one with each request.
    pub fn order(&self, candidates: &[Candidate<'_>], turn: usize) -> Vec<usize> {
        let mut places: Vec<usize> = (0..candidates.len())
            .filter(|place| self.offers(candidates[*place].local))
            .collect();
        match self.mode {
            Mode::LocalOnly => {}
            // A stable sort: within each half the known order stays.
            Mode::PreferLocal => places.sort_by_key(|place| !candidates[*place].local),
            Mode::Named => {
                let listed = |place: &usize| {
                    let name = candidates[*place].name;
                    self.order.iter().position(|listed| listed == name)
                };
                places.retain(|place| listed(place).is_some());
                places.sort_by_key(listed);
            }
            Mode::Balance => {
                let count = places.len().max(1);
                places.rotate_left(turn % count);
                places.sort_by_key(|place| candidates[*place].busy);
            }
        }
        places
    }
}

/// Whether `address`, a URL or empty for the provider inside this program, is this machine or its own network.
///
/// The address decides, not the name of the provider: loopback, private and link-local numbers are local, `localhost`
/// too. Any other host name counts as remote, because what it means is decided elsewhere.
pub fn is_local(address: &str) -> bool {
    lies(address, |number| match number {
        IpAddr::V4(v4) => v4.is_loopback() || v4.is_private() || v4.is_link_local(),
        IpAddr::V6(v6) => v6.is_loopback() || v6.is_unique_local() || v6.is_unicast_link_local(),
    })
}

/// Whether `address`, a URL or empty for the provider inside this program, is this machine.
pub fn is_here(address: &str) -> bool {
    lies(address, |number| number.is_loopback())
}

fn lies(address: &str, fits: impl FnOnce(IpAddr) -> bool) -> bool {
    if address.is_empty() {
        return true;
    }
    let Ok(uri) = address.parse::<ureq::http::Uri>() else {
        return false;
    };
    let Some(host) = uri.host() else { return false };
    if host.eq_ignore_ascii_case("localhost") {
        return true;
    }
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    bare.parse::<IpAddr>()
        .is_ok_and(|number| fits(number.to_canonical()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: [Candidate<'static>; 4] = [
        Candidate {
            name: "openai",
            local: false,
            busy: 0,
        },
        Candidate {
            name: "ollama",
            local: true,
            busy: 2,
        },
        Candidate {
            name: "groq",
            local: false,
            busy: 1,
        },
        Candidate {
            name: "desk",
            local: true,
            busy: 0,
        },
    ];

    fn names(mode: Mode, order: &[&str], turn: usize) -> Vec<&'static str> {
        let routing = Routing {
            mode,
            order: order.iter().map(|name| (*name).to_owned()).collect(),
        };
        routing
            .order(&KNOWN, turn)
            .into_iter()
            .map(|place| KNOWN[place].name)
            .collect()
    }

    #[test]
    fn each_mode_has_its_order() {
        assert_eq!(names(Mode::LocalOnly, &[], 7), ["ollama", "desk"]);
        assert_eq!(
            names(Mode::PreferLocal, &[], 7),
            ["ollama", "desk", "openai", "groq"]
        );
        assert_eq!(
            names(Mode::Named, &["groq", "gone", "ollama"], 7),
            ["groq", "ollama"]
        );
        assert_eq!(
            names(Mode::Balance, &[], 0),
            ["openai", "desk", "groq", "ollama"]
        );
        assert_eq!(
            names(Mode::Balance, &[], 1),
            ["desk", "openai", "groq", "ollama"],
            "equals take turns"
        );
    }

    #[test]
    fn no_candidate_is_no_fault() {
        for mode in [
            Mode::LocalOnly,
            Mode::PreferLocal,
            Mode::Named,
            Mode::Balance,
        ] {
            let routing = Routing {
                mode,
                order: Vec::new(),
            };
            assert!(routing.order(&[], 3).is_empty());
        }
    }

    #[test]
    fn balance_spreads_evenly_over_turns() {
        let idle = [Candidate {
            name: "a",
            local: true,
            busy: 0,
        }; 3];
        let routing = Routing {
            mode: Mode::Balance,
            order: Vec::new(),
        };
        let mut firsts = [0; 3];
        for turn in 0..300 {
            firsts[routing.order(&idle, turn)[0]] += 1;
        }
        assert_eq!(firsts, [100, 100, 100]);
    }

    #[test]
    fn the_address_decides_what_is_local() {
        for local in [
            "",
            "http://127.0.0.1:11434",
            "http://localhost:1234/v1",
            "http://[::1]:8080/v1",
            "http://192.168.1.20:8000/v1",
            "http://10.3.2.1",
            "http://[fd00::5]/v1",
            "http://[fe80::1]/v1",
            "http://[::ffff:192.168.0.1]/v1",
        ] {
            assert!(is_local(local), "{local}");
        }
        for remote in [
            "https://api.openai.com/v1",
            "http://8.8.8.8",
            "http://localhost.example.org",
            "http://192.168.1.20.nip.io/v1",
            "http://[2001:db8::1]/v1",
            "nonsense",
            "http://172.32.0.1",
        ] {
            assert!(!is_local(remote), "{remote}");
        }
    }
}
