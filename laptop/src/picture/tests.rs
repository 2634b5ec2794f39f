//! The image service against scripted servers.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use image::RgbImage;

use super::check::{decode, encode_png};
use super::painter::Painter;
use super::service::ImageService;
use crate::ipc::{
    CancelToken, Failure, FailureCode, FinishReason, Handler, Picture, PictureFormat, PictureKind,
    PictureRequest, Screen, ServiceEvent, ServiceRequest, Usage,
};
use crate::service::config::ServicesConfig;
use crate::service::testing::{Reply, Seen, Step, Web, collect};

fn service_of(text: &str) -> ImageService {
    let env = |name: &str| match name {
        "OFFICEOS_DISCOVERY" => Some("off".to_owned()),
        "KEY" => Some("sekrit-key".to_owned()),
        _ => None,
    };
    ImageService::new(
        &ServicesConfig::parse(text, &env).unwrap(),
        Painter::new(Duration::ZERO),
    )
}

fn service(kind: &str, base: &str) -> ImageService {
    service_of(&format!(
        "[[provider]]\nname = 'p'\nkind = '{kind}'\nbase_url = '{base}'\nkey_env = 'KEY'\n"
    ))
}

fn request(kind: PictureKind, model: &str, prompt: &str) -> PictureRequest {
    PictureRequest {
        kind,
        model: model.into(),
        prompt: prompt.into(),
        negative: "text".into(),
        style: "oil".into(),
        width: 100,
        height: 68,
        steps: 7,
        seed: Some(42),
        strength_permille: 0,
        scale: 2,
        source: if kind == PictureKind::Generate {
            Vec::new()
        } else {
            png(80, 60)
        },
        screen: Screen {
            width: 64,
            height: 48,
            accepts: vec![PictureFormat::Jpeg, PictureFormat::Png],
        },
    }
}

fn png(width: u32, height: u32) -> Vec<u8> {
    encode_png(&RgbImage::from_fn(width, height, |x, y| {
        image::Rgb([(x * 3) as u8, (y * 4) as u8, (x * y) as u8])
    }))
    .unwrap()
}

fn ask(service: &ImageService, request: PictureRequest) -> Vec<ServiceEvent> {
    collect(|sink| service.handle(ServiceRequest::Picture(request), sink, &CancelToken::new()))
}

fn picture(events: &[ServiceEvent]) -> &Picture {
    events
        .iter()
        .find_map(|e| {
            if let ServiceEvent::Picture(p) = e {
                Some(p)
            } else {
                None
            }
        })
        .expect("a picture")
}

fn failure(events: &[ServiceEvent]) -> &Failure {
    match events.last() {
        Some(ServiceEvent::Failed(failure)) => failure,
        other => panic!("expected a failure, got {other:?}"),
    }
}

fn progress(events: &[ServiceEvent]) -> Vec<u16> {
    events
        .iter()
        .filter_map(|e| {
            if let ServiceEvent::Progress { permille, .. } = e {
                Some(*permille)
            } else {
                None
            }
        })
        .collect()
}

#[test]
fn alone_the_built_in_painter_paints_with_progress_and_is_named() {
    let events = ask(
        &service_of(""),
        request(PictureKind::Generate, "", "a boat at sunset"),
    );
    assert_eq!(
        events[0],
        ServiceEvent::Started {
            provider: "built-in".into(),
            model: "painter".into()
        }
    );
    let steps = progress(&events);
    assert_eq!(steps, [142, 285, 428, 571, 714, 857, 1000, 1000]);
    let picture = picture(&events);
    assert_eq!((picture.width, picture.height), (64, 44));
    assert_eq!(decode(&picture.fitted).unwrap().dimensions(), (64, 44));
    assert_eq!(picture.original_format, PictureFormat::Png);
    assert_eq!(decode(&picture.original).unwrap().dimensions(), (100, 68));
    assert_eq!(picture.seed, Some(42));
    assert_eq!(
        events[events.len() - 2],
        ServiceEvent::Usage(Usage {
            pictures: 1,
            ..Usage::default()
        })
    );
    assert_eq!(
        events.last(),
        Some(&ServiceEvent::Done(FinishReason::Complete))
    );
}

#[test]
fn the_built_in_painter_stops_between_steps() {
    let env = |name: &str| (name == "OFFICEOS_DISCOVERY").then(|| "off".to_owned());
    let service = ImageService::new(
        &ServicesConfig::parse("", &env).unwrap(),
        Painter::new(Duration::from_secs(600)),
    );
    let cancel = CancelToken::new();
    let events = collect(|sink| {
        std::thread::scope(|scope| {
            scope.spawn(|| {
                std::thread::sleep(Duration::from_millis(30));
                cancel.cancel();
            });
            service.handle(
                ServiceRequest::Picture(request(PictureKind::Generate, "", "sea")),
                sink,
                &cancel,
            )
        })
    });
    assert_eq!(failure(&events).code, FailureCode::Cancelled);
    assert!(progress(&events).len() <= 1);
}

#[test]
fn the_built_in_painter_edits_enlarges_varies_and_fits() {
    let service = service_of("");
    let source = decode(&png(80, 60)).unwrap();
    for (kind, size) in [
        (PictureKind::Edit, (80, 60)),
        (PictureKind::Variation, (80, 60)),
        (PictureKind::Upscale, (160, 120)),
        (PictureKind::Fit, (80, 60)),
    ] {
        let events = ask(&service, request(kind, "", "make it night, with a cat"));
        let made = decode(&picture(&events).original).unwrap();
        assert_eq!(made.dimensions(), size, "{kind:?}");
        assert_eq!(made == source, kind == PictureKind::Fit, "{kind:?}");
        assert_eq!((picture(&events).width, picture(&events).height), (64, 48));
    }
}

#[test]
fn requests_that_cannot_be_done_are_refused_before_anybody_is_asked() {
    let service = service_of("");
    let base = || request(PictureKind::Generate, "", "x");
    let upscale = || request(PictureKind::Upscale, "", "");
    for (request, code) in [
        (
            PictureRequest {
                prompt: " ".into(),
                ..base()
            },
            FailureCode::BadRequest,
        ),
        (
            PictureRequest {
                width: 9000,
                ..base()
            },
            FailureCode::BadRequest,
        ),
        (
            PictureRequest {
                height: 0,
                ..base()
            },
            FailureCode::BadRequest,
        ),
        (
            PictureRequest {
                prompt: "x".repeat(9000),
                ..base()
            },
            FailureCode::TooLarge,
        ),
        (
            PictureRequest {
                scale: 9,
                ..upscale()
            },
            FailureCode::BadRequest,
        ),
        (
            PictureRequest {
                source: vec![],
                ..upscale()
            },
            FailureCode::BadRequest,
        ),
        (
            PictureRequest {
                source: b"GIF89a".to_vec(),
                ..upscale()
            },
            FailureCode::BadImage,
        ),
        (
            PictureRequest {
                model: "nobody/x".into(),
                ..base()
            },
            FailureCode::ModelUnknown,
        ),
        (
            PictureRequest {
                model: "built-in/dream".into(),
                ..base()
            },
            FailureCode::ModelUnknown,
        ),
    ] {
        let events = ask(&service, request);
        assert_eq!(failure(&events).code, code, "{events:?}");
    }
}

fn a1111(seen: &Seen) -> Reply {
    let encoded = STANDARD.encode(png(104, 72));
    match seen.target.as_str() {
        "/sdapi/v1/sd-models" => Reply::json(
            r#"[{"title":"anime.safetensors [1]","model_name":"anime"},{"title":"real.safetensors [2]","model_name":"real"}]"#,
        ),
        "/sdapi/v1/options" => Reply::json(r#"{"sd_model_checkpoint":"real.safetensors [2]"}"#),
        "/sdapi/v1/upscalers" => {
            Reply::json(r#"[{"name":"None"},{"name":"Lanczos"},{"name":"R-ESRGAN 4x+"}]"#)
        }
        "/sdapi/v1/txt2img" | "/sdapi/v1/img2img" => Reply::json(&format!(
            r#"{{"images":["{encoded}"],"info":"{{\"seed\": 42}}"}}"#
        )),
        "/sdapi/v1/extra-single-image" => {
            Reply::json(&format!(r#"{{"image":"data:image/png;base64,{encoded}"}}"#))
        }
        _ => Reply::status(404, r#"{"detail":"Not Found"}"#),
    }
}

#[test]
fn a1111_is_asked_once_in_the_right_shape_with_its_loaded_model_as_default() {
    let web = Web::start(a1111);
    let service = service("a1111", &web.url(""));
    let events = ask(&service, request(PictureKind::Generate, "", "a boat"));
    assert_eq!(
        events[0],
        ServiceEvent::Started {
            provider: "p".into(),
            model: "real".into()
        }
    );
    assert_eq!(
        (picture(&events).original_width, picture(&events).seed),
        (104, Some(42))
    );
    let asked = web.asked("POST", "/sdapi/v1/txt2img");
    assert_eq!(asked.len(), 1);
    let body = asked[0].json();
    for (name, value) in [
        ("prompt", serde_json::json!("a boat, oil style")),
        ("negative_prompt", serde_json::json!("text")),
        ("width", serde_json::json!(104)),
        ("height", serde_json::json!(72)),
        ("steps", serde_json::json!(7)),
        ("seed", serde_json::json!(42)),
        (
            "override_settings",
            serde_json::json!({ "sd_model_checkpoint": "real" }),
        ),
    ] {
        assert_eq!(body[name], value, "{name}");
    }
    ask(&service, request(PictureKind::Edit, "p/anime", "snow"));
    let body = web.asked("POST", "/sdapi/v1/img2img")[0].json();
    assert_eq!(body["denoising_strength"], serde_json::json!(0.6));
    let sent = STANDARD
        .decode(body["init_images"][0].as_str().unwrap())
        .unwrap();
    assert_eq!(decode(&sent).unwrap().dimensions(), (80, 60));
    ask(&service, request(PictureKind::Upscale, "p/anime", ""));
    let body = web.asked("POST", "/sdapi/v1/extra-single-image")[0].json();
    assert_eq!(
        (&body["upscaler_1"], &body["upscaling_resize"]),
        (&"R-ESRGAN 4x+".into(), &2.into())
    );
}

#[test]
fn a1111_tells_its_progress_and_a_cancel_interrupts_it() {
    let web = Web::start(|seen: &Seen| match seen.target.as_str() {
        "/sdapi/v1/txt2img" => Reply::stream("application/json", vec![Step::AwaitHangup]),
        "/sdapi/v1/progress?skip_current_image=true" => {
            Reply::json(r#"{"progress":0.37,"eta_relative":4.2}"#)
        }
        "/sdapi/v1/interrupt" => Reply::json("{}"),
        _ => a1111(seen),
    });
    let service = service("a1111", &web.url(""));
    let cancel = CancelToken::new();
    let began = Mutex::new(Instant::now());
    let events = collect(|sink| {
        std::thread::scope(|scope| {
            scope.spawn(|| {
                web.await_request("/sdapi/v1/progress?skip_current_image=true");
                std::thread::sleep(Duration::from_millis(100));
                *began.lock().unwrap() = Instant::now();
                cancel.cancel();
            });
            service.handle(
                ServiceRequest::Picture(request(PictureKind::Generate, "p/real", "x")),
                sink,
                &cancel,
            )
        })
    });
    assert!(
        events.contains(&ServiceEvent::Progress {
            permille: 370,
            eta_s: Some(5)
        }),
        "{events:?}"
    );
    assert_eq!(failure(&events).code, FailureCode::Cancelled);
    assert!(web.await_hangup().duration_since(*began.lock().unwrap()) < Duration::from_millis(300));
    assert_eq!(web.asked("POST", "/sdapi/v1/interrupt").len(), 1);
    assert_eq!(web.asked("POST", "/sdapi/v1/txt2img").len(), 1);
}

#[test]
fn openai_images_are_asked_in_json_and_edits_as_a_form() {
    let answer = format!(
        r#"{{"data":[{{"b64_json":"{}"}}]}}"#,
        STANDARD.encode(png(96, 64))
    );
    let web = Web::start(move |seen: &Seen| match seen.method.as_str() {
        "GET" => {
            Reply::json(r#"{"data":[{"id":"gpt-4o"},{"id":"gpt-image-1"},{"id":"dall-e-3"}]}"#)
        }
        _ => Reply::json(&answer),
    });
    let service = service("openai-images", &web.url("/v1"));
    let events = ask(&service, request(PictureKind::Generate, "", "a boat"));
    assert_eq!(
        events[0],
        ServiceEvent::Started {
            provider: "p".into(),
            model: "gpt-image-1".into()
        }
    );
    assert_eq!(picture(&events).original_width, 96);
    let asked = web.asked("POST", "/v1/images/generations");
    assert_eq!(asked.len(), 1);
    assert_eq!(asked[0].header("authorization"), Some("Bearer sekrit-key"));
    assert_eq!(
        asked[0].json(),
        serde_json::json!({ "model": "gpt-image-1", "prompt": "a boat. Style: oil. Without: text.", "n": 1, "size": "1536x1024" })
    );
    ask(
        &service,
        request(PictureKind::Generate, "p/dall-e-3", "a boat"),
    );
    assert_eq!(
        web.asked("POST", "/v1/images/generations")[1].json()["response_format"],
        "b64_json"
    );
    ask(
        &service,
        request(PictureKind::Edit, "p/gpt-image-1", "more snow"),
    );
    let form = &web.asked("POST", "/v1/images/edits")[0];
    assert!(
        form.header("content-type")
            .unwrap()
            .starts_with("multipart/form-data; boundary=")
    );
    let body = String::from_utf8_lossy(&form.body);
    assert!(
        body.contains("name=\"prompt\"\r\n\r\nmore snow")
            && body.contains("filename=\"image.png\"")
    );
    let events = ask(&service, request(PictureKind::Upscale, "p/gpt-image-1", ""));
    assert_eq!(failure(&events).code, FailureCode::Unsupported);
}

#[test]
fn stability_is_asked_with_a_form_and_its_filter_is_told() {
    let image = png(90, 60);
    let web = Web::start(move |seen: &Seen| match seen.target.as_str() {
        "/v1/user/balance" => Reply::json(r#"{"credits":5}"#),
        _ if String::from_utf8_lossy(&seen.body).contains("forbidden") => {
            Reply::bytes("image/png", image.clone()).with("finish-reason", "CONTENT_FILTERED")
        }
        _ => Reply::bytes("image/png", image.clone()).with("seed", "777"),
    });
    let service = service("stability", &web.url(""));
    let events = ask(&service, request(PictureKind::Generate, "", "a boat"));
    assert_eq!(
        events[0],
        ServiceEvent::Started {
            provider: "p".into(),
            model: "core".into()
        }
    );
    assert_eq!(
        (picture(&events).seed, picture(&events).original_width),
        (Some(777), 90)
    );
    let asked = web.asked("POST", "/v2beta/stable-image/generate/core");
    assert_eq!(
        (asked.len(), asked[0].header("accept")),
        (1, Some("image/*"))
    );
    let body = String::from_utf8_lossy(&asked[0].body).into_owned();
    for part in [
        "name=\"prompt\"\r\n\r\na boat, oil style",
        "name=\"aspect_ratio\"\r\n\r\n3:2",
        "name=\"seed\"\r\n\r\n42",
    ] {
        assert!(body.contains(part), "{part}");
    }
    let events = ask(
        &service,
        request(PictureKind::Generate, "p/core", "forbidden"),
    );
    assert!(failure(&events).detail.contains("content filter"));
    ask(&service, request(PictureKind::Variation, "p/core", ""));
    let body = web.asked("POST", "/v2beta/stable-image/generate/sd3")[0]
        .body
        .clone();
    assert!(String::from_utf8_lossy(&body).contains("image-to-image"));
}

#[test]
fn bad_answers_are_told_by_name_and_never_repeated() {
    let junk = STANDARD.encode(b"this is no picture");
    let no_picture = format!(r#"{{"images":["{junk}"]}}"#);
    for (reply, code, said) in [
        (
            Reply::json(&no_picture),
            FailureCode::ProviderFailed,
            "cannot be shown",
        ),
        (
            Reply::json(r#"{"images":[]}"#),
            FailureCode::ProviderFailed,
            "without a picture",
        ),
        (
            Reply::html("<html>oops"),
            FailureCode::ProviderFailed,
            "not JSON",
        ),
        (
            Reply::status(500, r#"{"error":"OutOfMemoryError"}"#),
            FailureCode::ProviderFailed,
            "OutOfMemoryError",
        ),
        (
            Reply::stream("application/json", vec![Step::Die]),
            FailureCode::ProviderFailed,
            "did not answer",
        ),
    ] {
        let web = Web::start(move |seen: &Seen| match seen.target.as_str() {
            "/sdapi/v1/txt2img" => reply.clone(),
            _ => Reply::status(404, ""),
        });
        let events = ask(
            &service("a1111", &web.url("")),
            request(PictureKind::Generate, "p/m", "x"),
        );
        let failure = failure(&events);
        assert_eq!(
            (failure.code, failure.provider.as_str()),
            (code, "p"),
            "{failure}"
        );
        assert!(failure.detail.contains(said), "{failure}");
        assert_eq!(web.asked("POST", "/sdapi/v1/txt2img").len(), 1);
    }
}

#[test]
fn a_dead_painter_is_an_error_that_names_it_and_never_the_built_in_one() {
    let service = service("a1111", "http://127.0.0.1:1");
    let events = ask(&service, request(PictureKind::Generate, "", "x"));
    assert_eq!(
        (failure(&events).code, failure(&events).provider.as_str()),
        (FailureCode::ProviderUnreachable, "p")
    );
    assert!(!events.iter().any(|e| matches!(e, ServiceEvent::Picture(_))));
}
