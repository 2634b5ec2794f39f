use super::*;
use std::sync::Arc;

use crate::app::model::{Overlay, PictureId, PictureState, Raster};
use crate::app::view;

/// Paints from the home screen; returns the picture and its request.
fn paint(p: &mut Player) -> (PictureId, RequestId) {
    play(p, "Right A Start A \"calm harbour\" Start Start");
    number(p);
    let Screen::Progress(id) = p.model.screen() else {
        panic!("{:?}", p.model.screen())
    };
    (*id, p.model.pictures.find(*id).unwrap().request.unwrap())
}

fn keep(p: &mut Player, id: RequestId) -> Effects {
    p.send(Msg::Link(LinkEvent::Data {
        id,
        slot: 1,
        offset: 0,
        bytes: vec![0; 100],
        fin: true,
    }));
    let fx = p.send(Msg::Link(LinkEvent::Done(id)));
    assert!(fx.iter().any(|e| matches!(e, Effect::Keep { slot: 1, .. })));
    assert!(!fx.contains(&Effect::Ack(id)), "not safe yet");
    p.send(Msg::Card(CardEvent::Kept {
        laptop: ADA,
        id,
        len: 100,
        size: Some((640, 480)),
    }))
}

#[test]
fn a_picture_is_asked_painted_kept_and_shown() {
    let mut p = linked();
    let (picture, id) = paint(&mut p);
    assert_eq!(submitted(&p.effects), [id]);
    p.send(Msg::Link(LinkEvent::Progress {
        id,
        op: 0,
        permille: 400,
        eta_s: Some(24),
    }));
    let view = view::picture::progress(&p.model, picture);
    assert_eq!(
        (view.meter, view.line.as_str()),
        (Some(400), "Step 8 of 20, about 24 s")
    );
    assert_eq!(bar(&p), "Y Stop  B Leave, it goes on  Start New");
    let fx = keep(&mut p, id);
    assert!(fx.contains(&Effect::Ack(id)));
    assert!(fx.contains(&Effect::LoadPicture { picture, fit: None }));
    assert!(matches!(p.model.screen(), Screen::Viewer(v) if v.picture == picture));
    play(&mut p, "B");
    assert!(matches!(p.model.screen(), Screen::Gallery(_)));
    assert_eq!(view::header(&p.model).title, "Pictures · 1");
}

#[test]
fn the_recipe_is_turned_with_left_and_right() {
    let mut p = linked();
    play(&mut p, "Right A Start Down Right Right");
    assert_eq!(
        p.model.pictures.recipe.style,
        crate::app::model::picture::Style::Watercolour
    );
    play(&mut p, "Down Right Down Right Down Right");
    let recipe = &p.model.pictures.recipe;
    assert_eq!(
        (recipe.steps, recipe.model.as_str()),
        (30, "built-in/painter")
    );
    assert_eq!(
        view::list(&p.model).unwrap().rows[2].value.as_deref(),
        Some("Square 512×512")
    );
    assert!(
        !bar(&p).contains("Paint"),
        "there is nothing to paint yet: {}",
        bar(&p)
    );
}

#[test]
fn a_picture_is_fitted_to_the_panel_in_a_format_that_this_handheld_reads() {
    use shared_proto::program::Op;
    let mut p = linked();
    paint(&mut p);
    let Some(Effect::Submit { program, .. }) = p
        .effects
        .iter()
        .rev()
        .find(|e| matches!(e, Effect::Submit { .. }))
    else {
        panic!()
    };
    let decoded = shared_proto::program::decode(program).unwrap();
    let ops: Vec<Op> = decoded.steps.iter().map(|s| s.op.clone()).collect();
    assert!(matches!(&ops[0], Op::Generate(g) if (g.width, g.height, g.steps) == (640, 480, 20)));
    assert!(matches!(&ops[1], Op::Fit(f) if (f.width, f.height, f.formats) == (640, 480, 0b111)));
    assert!(matches!(&ops[2], Op::Emit(_)));
    assert!(program.len() < 500);
}

#[test]
fn the_viewer_zooms_pans_and_hides_its_bar() {
    let mut p = linked();
    let (picture, id) = paint(&mut p);
    keep(&mut p, id);
    let raster = Some(Arc::new(Raster {
        width: 640,
        height: 480,
        rgb: vec![0; 640 * 480 * 3],
    }));
    p.send(Msg::Card(CardEvent::Raster {
        picture,
        thumb: false,
        raster,
    }));
    let viewer = |p: &Player| {
        if let Screen::Viewer(v) = p.model.screen() {
            *v
        } else {
            panic!()
        }
    };
    assert!(viewer(&p).bar_until.is_some());
    p.wait(2100);
    assert!(viewer(&p).bar_until.is_none());
    play(&mut p, "R2");
    assert_eq!(viewer(&p).zoom, Some(150));
    play(&mut p, "Left Up");
    assert_eq!(viewer(&p).centre, (420, 420));
    play(&mut p, "Up*10");
    assert_eq!(viewer(&p).centre.1, 0);
    assert!(crate::app::hints::act(&p.model, crate::input::button::Button::Up).is_none());
    play(&mut p, "L2");
    assert_eq!(viewer(&p).zoom, None);
    play(&mut p, "A");
    assert_eq!(viewer(&p).zoom, Some(100));
    play(&mut p, "B");
    assert!(
        p.model.pictures.find(picture).unwrap().raster.is_none(),
        "pixels are let go of"
    );
}

#[test]
fn edits_larger_ones_and_variations_hash_their_source_first() {
    let mut p = linked();
    let (from, id) = paint(&mut p);
    keep(&mut p, id);
    for (downs, opcode) in [(1, "image.upscale"), (2, "image.variation")] {
        let fx = play(&mut p, &format!("X Down*{downs} A"));
        let source = crate::app::model::Source::Picture(from);
        assert!(fx.contains(&Effect::Hash(source.clone())), "{fx:?}");
        p.send(Msg::Card(CardEvent::Hashed {
            source: source.clone(),
            facts: Some((100, [7; 32])),
        }));
        let fx = number(&mut p);
        let Some(Effect::Submit {
            program, uploads, ..
        }) = fx.iter().find(|e| matches!(e, Effect::Submit { .. }))
        else {
            panic!("{fx:?}")
        };
        let decoded = shared_proto::program::decode(program).unwrap();
        assert_eq!(
            decoded.steps.iter().next().unwrap().op.opcode().name(),
            opcode
        );
        assert_eq!(uploads[0].source, source);
        play(&mut p, "B");
    }
    play(&mut p, "X A \"more boats\" Start");
    p.send(Msg::Card(CardEvent::Hashed {
        source: crate::app::model::Source::Picture(from),
        facts: Some((100, [7; 32])),
    }));
    number(&mut p);
    assert_eq!(p.model.pictures.list[0].recipe.prompt, "more boats");
}

#[test]
fn a_damaged_picture_is_told_and_not_shown() {
    let mut p = linked();
    let (picture, id) = paint(&mut p);
    p.send(Msg::Link(LinkEvent::Data {
        id,
        slot: 1,
        offset: 0,
        bytes: vec![9; 10],
        fin: true,
    }));
    p.send(Msg::Link(LinkEvent::Done(id)));
    p.send(Msg::Card(CardEvent::Kept {
        laptop: ADA,
        id,
        len: 10,
        size: None,
    }));
    assert!(matches!(
        p.model.pictures.find(picture).unwrap().state,
        PictureState::Broken(_)
    ));
    let card = view::picture::progress(&p.model, picture).card.unwrap();
    assert_eq!(card.lines[0], "The laptop sent a damaged result.");
    let fx = play(&mut p, "A");
    assert!(fx.iter().any(|e| matches!(e, Effect::NewRequest { .. })));
}

#[test]
fn a_full_card_loses_nothing_and_paints_nothing_twice() {
    let mut p = linked();
    let (picture, id) = paint(&mut p);
    p.send(Msg::Link(LinkEvent::Accepted(id)));
    p.send(Msg::Link(LinkEvent::Data {
        id,
        slot: 1,
        offset: 0,
        bytes: vec![0; 10],
        fin: true,
    }));
    p.send(Msg::Link(LinkEvent::Done(id)));
    let failure = Failure::own(Failure::CARD_FULL, "");
    let fx = p.send(Msg::Card(CardEvent::NotKept {
        laptop: ADA,
        id,
        failure,
    }));
    assert!(!fx.contains(&Effect::Ack(id)), "the laptop keeps it");
    let fx = play(&mut p, "A");
    assert!(
        fx.contains(&Effect::Resume {
            id,
            offsets: Vec::new(),
            uploads: Vec::new()
        }),
        "{fx:?}"
    );
    assert!(!fx.iter().any(|e| matches!(e, Effect::NewRequest { .. })));
    assert_eq!(
        p.model.pictures.find(picture).unwrap().state,
        PictureState::Open
    );
}

#[test]
fn a_card_that_fills_while_a_picture_arrives_leaves_it_on_the_laptop() {
    let mut p = linked();
    let (_, id) = paint(&mut p);
    p.send(Msg::Link(LinkEvent::Accepted(id)));
    p.send(data(id, 1, 0, "half of", false));
    let failure = Failure::own(Failure::CARD_FULL, "");
    p.send(Msg::Card(CardEvent::NotKept {
        laptop: ADA,
        id,
        failure,
    }));
    p.send(data(id, 1, 7, " a picture", true));
    let fx = p.send(Msg::Link(LinkEvent::Done(id)));
    let lost = |e: &Effect| matches!(e, Effect::Keep { .. } | Effect::Ack(_));
    assert!(!fx.iter().any(lost), "{fx:?}");
    let fx = play(&mut p, "A");
    assert!(fx.iter().any(|e| matches!(e, Effect::Resume { .. })));
}

#[test]
fn stopping_a_picture_cancels_it() {
    let mut p = linked();
    let (picture, id) = paint(&mut p);
    p.send(Msg::Link(LinkEvent::Accepted(id)));
    let fx = play(&mut p, "Y");
    assert!(fx.contains(&Effect::Cancel(id)));
    assert_eq!(
        p.model.pictures.find(picture).unwrap().state,
        PictureState::Stopped
    );
}

#[test]
fn the_gallery_loads_small_pictures_near_the_focus_and_walks_in_two_dimensions() {
    let mut p = linked();
    for _ in 0..7 {
        let (_, id) = paint(&mut p);
        keep(&mut p, id);
        play(&mut p, "Menu");
        let Screen::Home(home) = p.model.screen_mut() else {
            panic!()
        };
        *home = crate::app::model::screen::HomeScreen::default();
    }
    let fx = play(&mut p, "Right A");
    assert!(
        fx.iter()
            .filter(|e| matches!(e, Effect::LoadPicture { fit: Some(_), .. }))
            .count()
            >= 6
    );
    let focus = |p: &Player| {
        if let Screen::Gallery(s) = p.model.screen() {
            s.focus
        } else {
            panic!()
        }
    };
    play(&mut p, "Right Down");
    assert_eq!(focus(&p), 4);
    play(&mut p, "Down");
    assert_eq!(focus(&p), 6, "the last row is short");
    play(&mut p, "Left");
    assert_eq!(focus(&p), 5);
    play(&mut p, "X Up A A");
    assert_eq!(p.model.pictures.list.len(), 6);
    assert!(
        p.effects
            .iter()
            .any(|e| matches!(e, Effect::DropPicture(_)))
    );
}

#[test]
fn an_asked_picture_that_is_refused_says_so_in_its_place() {
    let mut p = linked();
    let (picture, id) = paint(&mut p);
    p.send(Msg::Link(LinkEvent::Awaiting {
        id,
        expires_in_s: 60,
    }));
    assert_eq!(
        view::picture::progress(&p.model, picture)
            .card
            .unwrap()
            .left,
        "1:00"
    );
    p.send(failed(id, ErrorCode::QuotaExceeded, ""));
    let card = view::picture::progress(&p.model, picture).card.unwrap();
    assert_eq!(card.lines[0], "Today's share of pictures is used up.");
    assert!(!matches!(p.model.overlay, Some(Overlay::Dialog(_))));
}
