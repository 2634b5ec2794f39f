//! specimen
use handheld::ui::{canvas::*, text::Face, *};
fn main() {
    let m = Metrics::new(640, 480, TextSize::Normal);
    for light in [false, true] {
        let t = Theme::new(light, m.clone());
        let mut c = Canvas::new(640, 480);
        let a = c.area();
        c.fill(a, t.color(Tone::Bg));
        let mut y = 0;
        for (face, size, s) in [
            (
                Face::Sans,
                24,
                "I hope you are well. The fence between our gardens",
            ),
            (
                Face::Sans,
                24,
                "lost two boards in last week's storm. To AV Ta We",
            ),
            (Face::SemiBold, 28, "Letter to the neighbour"),
            (Face::Italic, 24, "my cordless drill"),
            (Face::Bold, 24, "the boards, bold"),
            (
                Face::Mono,
                20,
                "let x = fence.repair(&boards); // mono 0O1lI",
            ),
            (Face::Sans, 20, "Laptop linked  78 %  14:02 caption text"),
            (
                Face::Sans,
                24,
                "漢字 かな 한국어 🚀 😀 ✓ → ∑ ☀️ \u{10fff0} é e\u{301} ﬁ",
            ),
            (Face::MonoSemiBold, 96, "482 913"),
        ] {
            let h = (size as i32 * 4 + 2) / 3;
            c.label(
                Rect::new(16, y, 608, h),
                s,
                face,
                size,
                t.color(Tone::Text),
                Align::Left,
            );
            y += h + 4;
        }
        for (i, icon) in icon::ICONS.iter().enumerate() {
            let r = Rect::new(16 + i as i32 * 29, y, 24, 24);
            c.icon(*icon, r, 20, t.color(Tone::Accent));
        }
        c.card(
            Rect::new(16, y + 30, 100, 50),
            12,
            1,
            t.color(Tone::Surface),
            t.color(Tone::Line),
        );
        c.fill_round(Rect::new(130, y + 30, 60, 24), 12, t.color(Tone::Accent));
        std::fs::write(
            if light {
                "/tmp/spec-l.png"
            } else {
                "/tmp/spec-d.png"
            },
            c.png(),
        )
        .unwrap();
    }
}
