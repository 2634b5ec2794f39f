use super::*;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;

struct Fake {
    name: String,
    alive: Arc<Mutex<bool>>,
    asked: AtomicUsize,
}

impl Provider for Fake {
    fn name(&self) -> &str {
        &self.name
    }
    fn address(&self) -> &str {
        &self.name
    }
    fn models(&self, _: &CancelToken) -> Result<Vec<ModelInfo>, Attempt> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        if !*self.alive.lock().unwrap() {
            let failure = Failure::new(FailureCode::ProviderUnreachable, &self.name, "gone");
            return Err(Attempt {
                failure,
                again: Again::Elsewhere,
            });
        }
        let of = |id: &str, loaded| ModelInfo {
            id: id.into(),
            loaded,
            default: false,
            note: String::new(),
            embeds: None,
            here: true,
        };
        Ok(vec![
            of("nomic-embed", Some(true)),
            of("small", None),
            of("big", Some(true)),
        ])
    }
}

fn fake(name: &str, alive: bool) -> (Arc<Entry<Fake>>, Arc<Mutex<bool>>) {
    let alive = Arc::new(Mutex::new(alive));
    let provider = Fake {
        name: name.into(),
        alive: Arc::clone(&alive),
        asked: AtomicUsize::new(0),
    };
    (Entry::new(Arc::new(provider), None), alive)
}

fn route(registry: &Registry<Fake>, model: &str) -> Result<(String, String), FailureCode> {
    let route = registry
        .route(model, &[], &CancelToken::new())
        .map_err(|f| f.code)?;
    Ok((route.entry.provider.name.clone(), route.model))
}

#[test]
fn without_real_providers_the_default_is_built_in_and_says_so() {
    let registry = Registry::new(
        Routing::default(),
        vec![],
        vec![],
        fake(BUILT_IN, true).0,
        |_| vec![],
    );
    assert_eq!(route(&registry, ""), Ok((BUILT_IN.into(), "big".into())));
    let models = registry.models(&[], &CancelToken::new());
    assert_eq!(
        models
            .iter()
            .filter(|m| m.default)
            .map(|m| &m.id[..])
            .collect::<Vec<_>>(),
        ["built-in/big"]
    );
}

#[test]
fn the_first_healthy_real_provider_is_the_default_and_a_loaded_model_wins() {
    let (dead, living) = (fake("dead", false).0, fake("living", true).0);
    let registry = Registry::new(
        Routing::default(),
        vec![dead, living],
        vec![],
        fake(BUILT_IN, true).0,
        |_| vec![],
    );
    assert_eq!(route(&registry, ""), Ok(("living".into(), "big".into())));
    assert_eq!(
        route(&registry, "living/x/y:z"),
        Ok(("living".into(), "x/y:z".into()))
    );
    assert_eq!(
        route(&registry, "living/"),
        Ok(("living".into(), "big".into()))
    );
    assert_eq!(route(&registry, "nobody/x"), Err(FailureCode::ModelUnknown));
}

#[test]
fn a_real_provider_that_died_never_turns_into_the_built_in_one() {
    let (entry, alive) = fake("ollama", true);
    let registry = Registry::new(
        Routing::default(),
        vec![],
        vec![],
        fake(BUILT_IN, true).0,
        move |_| vec![Arc::clone(&entry)],
    );
    assert_eq!(route(&registry, ""), Ok(("ollama".into(), "big".into())));
    *alive.lock().unwrap() = false;
    for entry in registry.real(LIFETIME, &CancelToken::new()) {
        *lock(&entry.listing) = None;
    }
    assert_eq!(route(&registry, ""), Err(FailureCode::ProviderUnreachable));
    assert_eq!(
        route(&registry, "built-in/"),
        Ok((BUILT_IN.into(), "big".into()))
    );
    let health = registry.health(&CancelToken::new());
    assert_eq!(health[0].health, Health::Unhealthy("gone".into()));
    assert_eq!(health[1].health, Health::Healthy);
}

#[test]
fn a_cancelled_look_is_not_taken_for_an_empty_machine() {
    let (entry, _) = fake("ollama", true);
    let registry = Registry::new(
        Routing::default(),
        vec![],
        vec![],
        fake(BUILT_IN, true).0,
        move |cancel| {
            if cancel.is_cancelled() {
                vec![]
            } else {
                vec![Arc::clone(&entry)]
            }
        },
    );
    let cancel = CancelToken::new();
    cancel.cancel();
    registry.models(&[], &cancel);
    assert_eq!(route(&registry, ""), Ok(("ollama".into(), "big".into())));
}

/// A registry whose looks find one more provider each and wait for a word on the channel given.
fn slow_to_look() -> (Arc<Registry<Fake>>, mpsc::Receiver<()>, mpsc::Sender<()>) {
    let (began, begins) = mpsc::channel();
    let (go_on, goes_on) = mpsc::channel::<()>();
    let goes_on = Mutex::new(goes_on);
    let looks = AtomicUsize::new(0);
    let registry = Registry::new(
        Routing::default(),
        vec![],
        vec![],
        fake(BUILT_IN, true).0,
        move |_| {
            began.send(()).unwrap();
            goes_on.lock().unwrap().recv().unwrap();
            let look = looks.fetch_add(1, Ordering::SeqCst);
            vec![fake(&format!("found-{look}"), true).0]
        },
    );
    (Arc::new(registry), begins, go_on)
}

#[test]
fn a_look_holds_nobody_up_who_could_do_with_the_last_one() {
    let (registry, begins, go_on) = slow_to_look();
    go_on.send(()).unwrap();
    assert_eq!(route(&registry, ""), Ok(("found-0".into(), "big".into())));
    begins.recv().unwrap();
    // Old enough to look again: one does, and is held up in the middle of it.
    lock(&registry.found).when = Instant::now().checked_sub(LIFETIME);
    std::thread::scope(|scope| {
        let looker = scope.spawn(|| route(&registry, ""));
        begins.recv().unwrap();
        assert_eq!(route(&registry, ""), Ok(("found-0".into(), "big".into())));
        assert_eq!(registry.models(&[], &CancelToken::new()).len(), 6);
        assert!(begins.try_recv().is_err(), "one look at a time");
        go_on.send(()).unwrap();
        assert_eq!(looker.join().unwrap(), Ok(("found-0".into(), "big".into())));
    });
    assert_eq!(
        route(&registry, "found-1/"),
        Ok(("found-1".into(), "big".into()))
    );
}

#[test]
fn the_first_to_come_share_one_look() {
    let (registry, begins, go_on) = slow_to_look();
    std::thread::scope(|scope| {
        let comers: Vec<_> = (0..4)
            .map(|_| scope.spawn(|| route(&registry, "")))
            .collect();
        begins.recv().unwrap();
        go_on.send(()).unwrap();
        for comer in comers {
            assert_eq!(comer.join().unwrap(), Ok(("found-0".into(), "big".into())));
        }
    });
    assert!(begins.try_recv().is_err(), "one look for all");
}

#[test]
fn only_an_unnamed_request_that_cannot_have_run_goes_on_to_another_provider() {
    let registry = Registry::new(
        Routing::default(),
        vec![fake("a", true).0, fake("b", true).0],
        vec![],
        fake(BUILT_IN, true).0,
        |_| vec![],
    );
    let failed = |again| {
        let failure = Failure::new(FailureCode::ProviderUnreachable, "", "gone");
        Err(Attempt { failure, again })
    };
    let asked = |model: &str, first: Again, cancel: &CancelToken| {
        let mut asked = Vec::new();
        let result = registry.ask(model, &[], cancel, |route| {
            asked.push(route.entry.provider.name.clone());
            match asked.len() {
                1 => failed(first),
                _ => Ok(()),
            }
        });
        (asked.join(" "), result.is_ok())
    };
    let cancel = CancelToken::new();
    // One that stayed busy through all retries has not run it either.
    for on in [
        asked("", Again::Elsewhere, &cancel),
        asked("", Again::Later(None), &cancel),
    ] {
        assert_eq!(on, ("a b".into(), true));
    }
    for stays in [
        asked("a/", Again::Elsewhere, &cancel),
        asked("", Again::Never, &cancel),
    ] {
        assert_eq!(stays, ("a".into(), false));
    }
    // Nobody is left: never the built-in one.
    let result = registry.ask("", &[], &cancel, |_| failed(Again::Elsewhere));
    assert!(result.is_err());
    cancel.cancel();
    assert_eq!(asked("", Again::Elsewhere, &cancel), ("a".into(), false));
}

#[test]
fn a_list_is_asked_for_once_in_its_lifetime() {
    let (entry, _) = fake("p", true);
    let registry = Registry::new(
        Routing::default(),
        vec![Arc::clone(&entry)],
        vec![],
        fake(BUILT_IN, true).0,
        |_| vec![],
    );
    for _ in 0..5 {
        route(&registry, "").unwrap();
        registry.models(&[], &CancelToken::new());
    }
    assert_eq!(entry.provider.asked.load(Ordering::SeqCst), 1);
}

#[test]
fn an_open_breaker_refuses_without_asking_and_a_refused_request_does_not_open_it() {
    let (entry, _) = fake("p", true);
    let cancel = CancelToken::new();
    for _ in 0..9 {
        let _ = entry.attempt(&cancel, || {
            Err::<(), _>(Attempt::fatal(FailureCode::ModelUnknown, "p", "no"))
        });
    }
    assert_eq!(entry.attempt(&cancel, || Ok(1)), Ok(1));
    for _ in 0..3 {
        let _ = entry.attempt(&cancel, || {
            Err::<(), _>(Attempt::fatal(FailureCode::ProviderBroke, "p", "bang"))
        });
    }
    let mut ran = false;
    let refused = entry.attempt(&cancel, || {
        ran = true;
        Ok(())
    });
    assert!(!ran);
    assert!(refused.unwrap_err().failure.detail.contains("bang"));
    assert_eq!(entry.health().health, Health::Unhealthy("bang".into()));
}

#[test]
fn a_model_that_names_no_provider_finds_one_that_lists_it_and_another_when_that_fails() {
    let known = vec![fake("one", true).0, fake("two", true).0];
    let registry = Registry::new(
        Routing::default(),
        known,
        vec![],
        fake(BUILT_IN, true).0,
        |_| vec![],
    );
    assert_eq!(
        route(&registry, "small"),
        Ok(("one".into(), "small".into()))
    );
    assert_eq!(route(&registry, "unknown"), Err(FailureCode::ModelUnknown));
    let mut asked = Vec::new();
    let cancel = CancelToken::new();
    for (model, again, expected) in [
        ("small", Again::Elsewhere, vec!["one", "two"]),
        ("", Again::Later(None), vec!["one", "two"]),
        ("", Again::Never, vec!["one"]),
        ("one/small", Again::Elsewhere, vec!["one"]),
    ] {
        asked.clear();
        let result = registry.ask(model, &[], &cancel, |route| {
            asked.push(route.entry.provider.name.clone());
            let failure = Failure::new(FailureCode::ProviderUnreachable, "", "no");
            Err(Attempt { failure, again })
        });
        assert!(result.is_err());
        assert_eq!(asked, expected, "{model} {again:?}");
    }
}

#[test]
fn local_only_offers_and_asks_nothing_else() {
    let routing = Routing {
        mode: super::super::route::Mode::LocalOnly,
        order: vec![],
    };
    let known = vec![
        fake("api.example.org", true).0,
        fake("http://10.0.0.2", true).0,
    ];
    let registry = Registry::new(routing, known, vec![], fake(BUILT_IN, true).0, |_| vec![]);
    assert_eq!(
        route(&registry, ""),
        Ok(("http://10.0.0.2".into(), "big".into()))
    );
    let refused = registry.route("api.example.org/big", &[], &CancelToken::new());
    let said = refused.err().unwrap().detail;
    assert!(said.contains("local-only"), "{said}");
    let models = registry.models(&[], &CancelToken::new());
    assert!(models.iter().all(|m| !m.id.starts_with("api.")));
}

#[test]
fn balance_goes_round_the_idle_and_passes_over_the_busy() {
    let routing = Routing {
        mode: super::super::route::Mode::Balance,
        order: vec![],
    };
    let known = vec![fake("one", true).0, fake("two", true).0];
    let busy = Arc::clone(&known[0]);
    let registry = Registry::new(routing, known, vec![], fake(BUILT_IN, true).0, |_| vec![]);
    let next = || route(&registry, "").unwrap().0;
    assert_eq!([next(), next(), next()], ["one", "two", "one"]);
    let working = busy.begin();
    assert_eq!([next(), next()], ["two", "two"]);
    drop(working);
    let (a, b) = (next(), next());
    assert_ne!(a, b);
}

#[test]
fn a_model_that_is_off_is_taken_for_nobody() {
    let known = || vec![fake("one", true).0, fake("two", true).0];
    let registry = Registry::new(
        Routing::default(),
        known(),
        vec![],
        fake(BUILT_IN, true).0,
        |_| vec![],
    );
    let cancel = CancelToken::new();
    let route = |model: &str, off: &[&str]| {
        let off: Vec<String> = off.iter().map(|one| (*one).to_owned()).collect();
        registry
            .route(model, &off, &cancel)
            .map(|route| format!("{}/{}", route.entry.provider.name, route.model))
            .map_err(|failure| failure.code)
    };
    let off = Err(FailureCode::ModelOff);
    assert_eq!(route("one/big", &["one/big"]), off);
    assert_eq!(
        route("one/big", &["one/bigger", "two/big"]),
        Ok("one/big".into())
    );
    // Another name for it may be what the server takes for the same model.
    assert_eq!(route("one/big:latest", &[]), Ok("one/big:latest".into()));
    let unknown = Err(FailureCode::ModelUnknown);
    assert_eq!(route("one/big:latest", &["one/big"]), unknown);
    assert_eq!(route("two/other", &["one/big"]), Ok("two/other".into()));
    // Where the choice is left to the laptop, another one is taken.
    assert_eq!(route("", &["one/big"]), Ok("one/small".into()));
    assert_eq!(route("one/", &["one/big"]), Ok("one/small".into()));
    assert_eq!(route("one/", &["one/big", "one/small"]), off);
    assert_eq!(route("", &["one/big", "one/small"]), Ok("two/big".into()));
    assert_eq!(route("small", &["one/small"]), Ok("two/small".into()));
    assert_eq!(route("small", &["one/small", "two/small"]), off);
    assert_eq!(
        route("nowhere", &["one/small"]),
        Err(FailureCode::ModelUnknown)
    );
    // Nor is it where the first one has failed.
    let mut asked = Vec::new();
    let list = ["two/big".to_owned()];
    let result = registry.ask("big", &list, &cancel, |route| {
        asked.push(route.entry.provider.name.clone());
        let failure = Failure::new(FailureCode::ProviderUnreachable, "", "no");
        Err(Attempt {
            failure,
            again: Again::Elsewhere,
        })
    });
    assert!(result.is_err());
    assert_eq!(asked, ["one"]);
    let models = registry.models(&["one/big".to_owned()], &cancel);
    let default = models.iter().find(|one| one.default).map(|one| &one.id[..]);
    assert_eq!(default, Some("one/small"));
}

#[test]
fn a_default_of_the_settings_is_held_to_what_is_off_as_a_named_model_is() {
    let (one, _) = fake("one", true);
    let short = Entry::new(Arc::clone(&one.provider), Some("big:short".into()));
    let cancel = CancelToken::new();
    let pick = |off: &[&str]| {
        let off: Vec<String> = off.iter().map(|one| (*one).to_owned()).collect();
        short
            .pick_model(&off, &cancel)
            .map_err(|failure| failure.code)
    };
    assert_eq!(pick(&[]), Ok("big:short".into()));
    assert_eq!(pick(&["two/big"]), Ok("big:short".into()));
    assert_eq!(pick(&["one/big"]), Ok("small".into()));
    assert_eq!(pick(&["one/big", "one/small"]), Err(FailureCode::ModelOff));
}
