//! A frame as a list of strokes. Two lists tell where two frames differ, and only there is anything painted again.
//!
//! Between [`Canvas::scene`]'s begin and end every drawing call is written down instead of carried out. A stroke that stands
//! in both lists, in the same order among those that do, has the same pixels below and above it wherever no other stroke
//! changed; so the changed ones alone say what must be painted anew. Painting goes from the lowest stroke to the highest with
//! everything outside the changed areas left untouched. Of a text that goes on as it did only the end changed, and what was
//! scrolled is moved.

use std::rc::Rc;
use std::sync::Arc;

use super::{Canvas, View, scroll};
use crate::app::model::Raster;
use crate::ui::color::Color;
use crate::ui::rect::Rect;
use crate::ui::text::Mask;
use crate::ui::text::typeset::Shaped;

/// Strokes of the old list that are looked through for one of the new list.
const WINDOW: usize = 96;

/// Areas painted one by one; more are joined.
const MAX_AREAS: usize = 12;

/// Pixels that may be painted for nothing where two areas become one: less than looking through the list once more.
const SLACK: i32 = 4096;

/// What a stroke leaves behind in its area.
#[derive(Clone)]
pub(super) enum Shape {
    /// A rectangle.
    Fill,
    /// A rounded rectangle.
    Round { radius: i32 },
    /// The outline of one.
    Stroke { radius: i32, width: i32 },
    /// What is outside of one.
    Corners { radius: i32 },
    /// Everything in it, closer to the colour.
    Veil { alpha: u8 },
    /// A mask whose pen stands at the left top corner.
    Mask { mask: Rc<Mask>, x: i32, y: i32 },
    /// A text whose pen stands at `x` on the baseline `y`.
    Text {
        shaped: Rc<Shaped>,
        size: u16,
        x: f32,
        y: i32,
    },
    /// A picture.
    Picture { raster: Arc<Raster>, view: View },
}

/// One stroke.
#[derive(Clone)]
pub(super) struct Stroke {
    pub(super) shape: Shape,
    /// Where it is; nothing outside changes.
    pub(super) area: Rect,
    /// What drawing was limited to.
    pub(super) clip: Rect,
    pub(super) color: Color,
}

impl Stroke {
    pub(super) fn bounds(&self) -> Rect {
        self.area.intersect(&self.clip)
    }

    /// Where the two differ, if both are texts on one spot that begin with the same letters.
    fn grown(&self, other: &Stroke) -> Option<Rect> {
        let (
            Shape::Text { shaped, size, x, y },
            Shape::Text {
                shaped: before,
                size: z,
                x: a,
                y: b,
            },
        ) = (&self.shape, &other.shape)
        else {
            return None;
        };
        if (size, y, self.clip, self.color) != (z, b, other.clip, other.color)
            || x.to_bits() != a.to_bits()
        {
            return None;
        }
        let pairs = shaped.glyphs.iter().zip(&before.glyphs);
        let same = pairs
            .take_while(|(a, b)| a.piece == b.piece && a.x.to_bits() == b.x.to_bits())
            .count();
        if same == 0 {
            return None;
        }
        // A mark stands before the letter that it belongs to ends, so every letter that is left is asked.
        let rest = shaped.glyphs[same..].iter().chain(&before.glyphs[same..]);
        let first = rest.map(|g| g.x).reduce(f32::min)?;
        let all = self.area.union(&other.area);
        // Ink reaches to the left of its pen, by less than the size.
        let left = ((x + first).floor() as i32 - i32::from(*size)).max(all.x);
        let changed = Rect::new(left, all.y, all.right() - left, all.h);
        Some(changed.intersect(&self.clip))
    }

    fn is(&self, other: &Stroke) -> bool {
        if (self.area, self.clip, self.color) != (other.area, other.clip, other.color) {
            return false;
        }
        match (&self.shape, &other.shape) {
            (Shape::Fill, Shape::Fill) => true,
            (Shape::Round { radius: a }, Shape::Round { radius: b })
            | (Shape::Corners { radius: a }, Shape::Corners { radius: b }) => a == b,
            (
                Shape::Stroke { radius, width },
                Shape::Stroke {
                    radius: r,
                    width: w,
                },
            ) => (radius, width) == (r, w),
            (Shape::Veil { alpha: a }, Shape::Veil { alpha: b }) => a == b,
            (
                Shape::Mask { mask, x, y },
                Shape::Mask {
                    mask: m,
                    x: a,
                    y: b,
                },
            ) => (x, y) == (a, b) && Rc::ptr_eq(mask, m),
            (
                Shape::Text { shaped, size, x, y },
                Shape::Text {
                    shaped: s,
                    size: z,
                    x: a,
                    y: b,
                },
            ) => (size, y) == (z, b) && x.to_bits() == a.to_bits() && Rc::ptr_eq(shaped, s),
            (Shape::Picture { raster, view }, Shape::Picture { raster: r, view: v }) => {
                view == v && Arc::ptr_eq(raster, r)
            }
            _ => false,
        }
    }
}

/// The list of the last frame, and the one that is being written.
#[derive(Default)]
pub(super) struct Scene {
    before: Vec<Stroke>,
    now: Vec<Stroke>,
    /// True while drawing calls are written down.
    pub(super) open: bool,
}

impl Canvas {
    /// Runs `draw`, which must begin by filling the whole panel, and paints what is different from the scene before.
    pub fn scene<R>(&mut self, draw: impl FnOnce(&mut Canvas) -> R) -> R {
        self.scene.now.clear();
        self.scene.open = true;
        let result = draw(self);
        self.scene.open = false;
        let now = core::mem::take(&mut self.scene.now);
        let mut changed = difference(&self.scene.before, &now);
        if let Some((moved, rest)) = scroll::scrolled(&self.scene.before, &now, &changed) {
            self.shift(moved.area, moved.rows);
            self.moved.push(moved.area);
            changed = rest;
        }
        for &area in &changed {
            for stroke in &now {
                let clip = stroke.clip.intersect(&area);
                if !stroke.area.intersect(&clip).is_empty() {
                    self.clipped(clip, |c| c.paint(stroke));
                }
            }
        }
        self.painted.extend(changed);
        self.scene.now = core::mem::replace(&mut self.scene.before, now);
        self.scene.now.clear();
        result
    }

    /// Moves what an area shows by so many rows; what comes in from outside of it is left as it was.
    fn shift(&mut self, area: Rect, rows: i32) {
        let kept = scroll::kept(area, rows);
        let row = |y: i32| (y * self.width + kept.x) as usize;
        let mut copy = |y: i32| {
            let from = row(y - rows);
            self.pixels
                .copy_within(from..from + kept.w as usize, row(y));
        };
        if rows < 0 {
            (kept.y..kept.bottom()).for_each(&mut copy);
        } else {
            (kept.y..kept.bottom()).rev().for_each(&mut copy);
        }
    }

    /// Forgets the last scene: the next one is painted whole.
    pub fn forget(&mut self) {
        self.scene.before.clear();
    }

    /// Writes a stroke down, or carries it out at once where no scene is open.
    pub(super) fn stroke(&mut self, shape: Shape, area: Rect, color: Color) {
        let stroke = Stroke {
            shape,
            area,
            clip: self.clip(),
            color,
        };
        if stroke.bounds().is_empty() {
            return;
        }
        if self.scene.open {
            self.scene.now.push(stroke);
        } else {
            // Drawn past the list: the next scene may not rely on what is there, and the whole panel may have changed.
            self.scene.before.clear();
            self.loose = true;
            self.paint(&stroke);
        }
    }

    fn paint(&mut self, stroke: &Stroke) {
        let (area, color) = (stroke.area, stroke.color);
        match &stroke.shape {
            Shape::Fill => self.paint_fill(area, color),
            Shape::Round { radius } => self.paint_round(area, *radius, color),
            Shape::Stroke { radius, width } => self.paint_outline(area, *radius, *width, color),
            Shape::Corners { radius } => self.paint_corners(area, *radius, color),
            Shape::Veil { alpha } => self.paint_veil(area, color, *alpha),
            Shape::Mask { mask, x, y } => self.paint_mask(mask, *x, *y, color),
            Shape::Text { shaped, size, x, y } => {
                self.clipped(area, |c| c.paint_text(shaped, *size, *x, *y, color));
            }
            Shape::Picture { raster, view } => self.paint_picture(raster, area, *view),
        }
    }
}

/// The areas in which a frame of the strokes `new` may differ from one of the strokes `old`.
pub(super) fn difference(old: &[Stroke], new: &[Stroke]) -> Vec<Rect> {
    let mut areas = Vec::new();
    let same = old.iter().zip(new).take_while(|(a, b)| a.is(b)).count();
    let (old, new) = (&old[same..], &new[same..]);
    let ends = old.iter().rev().zip(new.iter().rev());
    let same = ends.take_while(|(a, b)| a.is(b)).count();
    let (old, new) = (&old[..old.len() - same], &new[..new.len() - same]);
    let mut at = 0;
    for stroke in new {
        let near = &old[at..(at + WINDOW).min(old.len())];
        match near.iter().position(|other| other.is(stroke)) {
            Some(skipped) => {
                near[..skipped]
                    .iter()
                    .for_each(|s| add(&mut areas, s.bounds()));
                at += skipped + 1;
            }
            None => {
                let grown = near
                    .iter()
                    .enumerate()
                    .find_map(|(n, other)| Some((n, stroke.grown(other)?)));
                let (skipped, area) =
                    grown.map_or((None, stroke.bounds()), |(n, area)| (Some(n), area));
                if let Some(skipped) = skipped {
                    near[..skipped]
                        .iter()
                        .for_each(|s| add(&mut areas, s.bounds()));
                    at += skipped + 1;
                }
                add(&mut areas, area);
            }
        }
    }
    old[at..].iter().for_each(|s| add(&mut areas, s.bounds()));
    areas
}

/// Adds an area. One that another nearly fills up to a rectangle is joined with it; of one that only crosses another, what lies outside is
/// added: a thin bar across a broad strip is not the rectangle around both. No pixel stands in two of them.
pub(super) fn add(areas: &mut Vec<Rect>, area: Rect) {
    let size = |r: &Rect| r.w * r.h;
    let wasted =
        |a: &Rect, b: &Rect| size(&a.union(b)) - (size(a) + size(b) - size(&a.intersect(b)));
    // What is left of an area that was cut is joined only where nothing is wasted: else both halves would find each other again.
    let mut slack = SLACK;
    let mut waiting = vec![area];
    while let Some(mut area) = waiting.pop() {
        if area.is_empty() {
            continue;
        }
        while let Some(at) = areas.iter().position(|other| wasted(other, &area) <= slack) {
            area = areas.swap_remove(at).union(&area);
        }
        slack = 0;
        let crossed = areas.iter().find(|r| !r.intersect(&area).is_empty());
        match crossed {
            Some(other) => waiting.extend(outside(area, *other)),
            None if areas.len() >= MAX_AREAS => {
                let rest = areas.drain(..).chain(waiting.drain(..));
                let all = rest.fold(area, |all, other| all.union(&other));
                areas.push(all);
            }
            None => areas.push(area),
        }
    }
}

/// The parts of an area that lie above, below, left and right of another that it crosses; some are empty.
fn outside(area: Rect, other: Rect) -> [Rect; 4] {
    let shared = area.intersect(&other);
    let beside = |x, w| Rect::new(x, shared.y, w, shared.h);
    [
        Rect::new(area.x, area.y, area.w, shared.y - area.y),
        Rect::new(
            area.x,
            shared.bottom(),
            area.w,
            area.bottom() - shared.bottom(),
        ),
        beside(area.x, shared.x - area.x),
        beside(shared.right(), area.right() - shared.right()),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::canvas::Align;
    use crate::ui::text::Face;
    use proptest::prelude::*;

    fn ground(c: &mut Canvas) {
        c.fill(Rect::new(0, 0, 200, 120), Color(3));
    }

    #[test]
    fn the_same_scene_again_paints_nothing_and_a_changed_word_its_place() {
        let mut c = Canvas::new(200, 120);
        let show = |c: &mut Canvas, word: &str| {
            c.scene(|c| {
                ground(c);
                c.fill_round(Rect::new(10, 10, 60, 30), 8, Color(0xffff));
                let place = Rect::new(100, 60, 80, 30);
                c.label(place, word, Face::Sans, 20, Color(0xf800), Align::Left);
            });
            c.damage()
        };
        assert_eq!(show(&mut c, "one"), [Rect::new(0, 0, 200, 120)]);
        assert_eq!(show(&mut c, "one"), []);
        let dirty = show(&mut c, "two");
        assert!(dirty.iter().all(|r| r.x >= 90 && r.y >= 50), "{dirty:?}");
        assert!(!dirty.is_empty());
    }

    #[test]
    fn what_is_drawn_past_a_scene_is_painted_over_by_the_next() {
        let mut c = Canvas::new(200, 120);
        c.scene(ground);
        c.damage();
        c.fill(Rect::new(5, 5, 9, 9), Color(0xffff));
        assert_eq!(c.damage(), [Rect::new(5, 5, 9, 9)]);
        c.scene(ground);
        assert_eq!(c.pixel(6, 6), Some(Color(3)));
        assert_eq!(c.damage(), [Rect::new(5, 5, 9, 9)]);
    }

    #[test]
    fn a_bar_across_a_strip_is_painted_as_a_cross() {
        let mut areas = Vec::new();
        add(&mut areas, Rect::new(0, 300, 640, 40));
        add(&mut areas, Rect::new(620, 70, 8, 360));
        let size = |r: &Rect| r.w * r.h;
        assert_eq!(areas.iter().map(size).sum::<i32>(), 640 * 40 + 8 * 320);
    }

    #[test]
    fn areas_are_joined_and_never_share_a_pixel() {
        let mut areas = Vec::new();
        for i in 0..40 {
            add(&mut areas, Rect::new(i * 100, (i % 7) * 90, 50, 60));
            add(&mut areas, Rect::new(i * 31 % 2000, i * 17 % 500, 90, 9));
        }
        assert!(areas.len() <= MAX_AREAS);
        for (i, a) in areas.iter().enumerate() {
            for b in &areas[i + 1..] {
                assert!(a.intersect(b).is_empty(), "{a:?} {b:?}");
            }
        }
    }

    #[test]
    fn a_bar_across_more_strips_than_are_kept_is_still_covered() {
        let mut areas = Vec::new();
        for strip in 0..7 {
            add(&mut areas, Rect::new(0, strip * 60, 640, 8));
        }
        add(&mut areas, Rect::new(300, 0, 4, 480));
        assert!(areas.len() <= MAX_AREAS);
        assert!((0..480).all(|y| areas.iter().any(|r| r.contains(&Rect::new(300, y, 4, 1)))));
    }

    proptest! {
        #[test]
        fn what_is_added_is_covered_and_no_pixel_stands_in_two_areas(
            added in proptest::collection::vec((0..60i32, 0..40i32, 1..60i32, 1..40i32), 1..30), scale in 1..12i32,
        ) {
            let mut areas = Vec::new();
            let added: Vec<Rect> = added.iter().map(|&(x, y, w, h)| Rect::new(x * scale, y * scale, w * scale, h)).collect();
            for (n, area) in added.iter().enumerate() {
                add(&mut areas, *area);
                prop_assert!(areas.len() <= MAX_AREAS);
                for area in &added[..=n] {
                    let size = |r: &Rect| i64::from(r.w) * i64::from(r.h);
                    let covered: i64 = areas.iter().map(|r| size(&r.intersect(area))).sum();
                    prop_assert_eq!(covered, size(area), "{:?} by {:?}", area, areas);
                }
            }
        }
    }

    #[derive(Clone, Debug)]
    enum Call {
        Fill(Rect, u16),
        Round(Rect, u16),
        Card(Rect, u16),
        Veil(Rect, u16),
        Text(Rect, u8),
        Clipped(Rect, Rect, u16),
    }

    fn calls() -> impl Strategy<Value = Vec<Call>> {
        let rect = || {
            (-20..200i32, -20..120i32, 0..90i32, 0..70i32)
                .prop_map(|(x, y, w, h)| Rect::new(x, y, w, h))
        };
        let call = prop_oneof![
            (rect(), any::<u16>()).prop_map(|(r, c)| Call::Fill(r, c)),
            (rect(), any::<u16>()).prop_map(|(r, c)| Call::Round(r, c)),
            (rect(), any::<u16>()).prop_map(|(r, c)| Call::Card(r, c)),
            (rect(), any::<u16>()).prop_map(|(r, c)| Call::Veil(r, c)),
            (rect(), 0..6u8).prop_map(|(r, n)| Call::Text(r, n)),
            (rect(), rect(), any::<u16>()).prop_map(|(r, s, c)| Call::Clipped(r, s, c)),
        ];
        proptest::collection::vec(call, 0..24)
    }

    impl Call {
        fn down(&self, by: i32) -> Call {
            let down = |r: &Rect| Rect::new(r.x, r.y + by, r.w, r.h);
            match self {
                Call::Fill(r, c) => Call::Fill(down(r), *c),
                Call::Round(r, c) => Call::Round(down(r), *c),
                Call::Card(r, c) => Call::Card(down(r), *c),
                Call::Veil(r, c) => Call::Veil(down(r), *c),
                Call::Text(r, n) => Call::Text(down(r), *n),
                Call::Clipped(r, s, c) => Call::Clipped(down(r), down(s), *c),
            }
        }
    }

    fn draw(c: &mut Canvas, calls: &[Call]) {
        ground(c);
        strokes(c, calls);
    }

    fn strokes(c: &mut Canvas, calls: &[Call]) {
        for call in calls {
            match call {
                Call::Fill(r, color) => c.fill(*r, Color(*color)),
                Call::Round(r, color) => c.fill_round(*r, 6, Color(*color)),
                Call::Card(r, color) => c.card(*r, 9, 2, Color(*color), Color(!*color)),
                Call::Veil(r, color) => c.veil(*r, Color(*color), 150),
                Call::Text(r, n) => {
                    let text =
                        ["gHost", "jÅ\u{30a}", "\u{202e}x", "fi", "漢字", ""][usize::from(*n)];
                    c.text_at(r.x as f32 + 0.3, r.y, text, Face::Italic, 24, Color(0xffff));
                }
                Call::Clipped(r, s, color) => {
                    c.clipped(*r, |c| c.stroke_round(*s, 5, 2, Color(*color)));
                }
            }
        }
    }

    proptest! {
        #[test]
        fn a_column_that_scrolls_looks_as_if_it_was_painted_whole(
            base in calls(), above in calls(), below in calls(),
            column in (-10..120i32, -10..60i32, 20..200i32, 20..120i32),
            steps in proptest::collection::vec(-40..40i32, 1..5),
        ) {
            let column = Rect::new(column.0, column.1, column.2, column.3);
            let show = |c: &mut Canvas, by: i32| {
                c.scene(|c| {
                    draw(c, &below);
                    c.fill(column.union(&Rect::new(0, 0, 200, 120)), Color(9));
                    c.clipped(column, |c| {
                        let lines = ["one", "two", "three", "four", "gj\u{c5}"];
                        for (n, line) in lines.iter().enumerate() {
                            let y = column.y + by + 22 * n as i32;
                            c.text_at(column.x as f32, y, line, Face::Sans, 20, Color(0xffff));
                        }
                        let moved: Vec<Call> = base.iter().map(|call| call.down(by)).collect();
                        strokes(c, &moved);
                    });
                    strokes(c, &above);
                });
            };
            let mut c = Canvas::new(200, 120);
            let mut panel = vec![0; 200 * 120];
            let mut by = 0;
            for step in std::iter::once(0).chain(steps) {
                by += step;
                show(&mut c, by);
                let mut whole = Canvas::new(200, 120);
                show(&mut whole, by);
                prop_assert!(c.pixels() == whole.pixels());
                for r in c.damage() {
                    for y in r.y..r.bottom() {
                        let row = (y * 200 + r.x) as usize..(y * 200 + r.right()) as usize;
                        panel[row.clone()].copy_from_slice(&c.pixels()[row]);
                    }
                }
                prop_assert!(c.pixels() == panel);
            }
        }

        #[test]
        fn a_text_that_is_written_on_looks_as_if_it_was_painted_whole(
            pieces in proptest::collection::vec("[a-z A-ZfjÅ漢\u{301}\u{30a}\u{202e}]{0,4}", 1..8), cut in 0..6usize,
        ) {
            let show = |c: &mut Canvas, text: &str| {
                c.scene(|c| {
                    ground(c);
                    c.text_at(8.3, 60, text, Face::Italic, 24, Color(0xffff));
                });
            };
            let mut c = Canvas::new(200, 120);
            let mut text = String::new();
            for (n, piece) in pieces.iter().enumerate() {
                if n == cut {
                    text.pop();
                }
                text.push_str(piece);
                show(&mut c, &text);
                let mut whole = Canvas::new(200, 120);
                show(&mut whole, &text);
                prop_assert!(c.pixels() == whole.pixels(), "{text:?}");
            }
        }

        #[test]
        fn painting_what_changed_gives_the_same_as_painting_all(
            base in calls(), from in 0..24usize, to in 0..24usize, other in calls(),
        ) {
            // The second frame is the first with a stretch of it replaced.
            let (from, to) = (from.min(base.len()), to.min(base.len()));
            let (from, to) = (from.min(to), from.max(to));
            let next: Vec<Call> = [&base[..from], &other, &base[to..]].concat();
            let mut c = Canvas::new(200, 120);
            let mut panel = vec![0; 200 * 120];
            for calls in [&base, &next, &base] {
                c.scene(|c| draw(c, calls));
                let mut whole = Canvas::new(200, 120);
                whole.scene(|c| draw(c, calls));
                prop_assert!(c.pixels() == whole.pixels());
                for r in c.damage() {
                    for y in r.y..r.bottom() {
                        let row = (y * 200 + r.x) as usize..(y * 200 + r.right()) as usize;
                        panel[row.clone()].copy_from_slice(&c.pixels()[row]);
                    }
                }
                prop_assert!(c.pixels() == panel);
            }
        }
    }
}
