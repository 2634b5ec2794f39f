//! Measures of a panel: everything is a multiple of one unit.

/// How large running text is; the rest of the interface stays.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum TextSize {
    /// 20 px on a 640×480 panel.
    Small,
    /// 24 px.
    #[default]
    Normal,
    /// 28 px.
    Large,
}

/// A type size with its line height, both in pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Type {
    /// Font size.
    pub size: u16,
    /// Distance between baselines.
    pub line: i32,
}

/// Sizes on one panel, in pixels unless said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metrics {
    /// Panel width.
    pub width: i32,
    /// Panel height.
    pub height: i32,
    /// The unit: 8 on a 640×480 panel.
    pub u: i32,
    /// Captions, hints.
    pub caption: Type,
    /// Code in answers.
    pub code: Type,
    /// Running text and rows.
    pub body: Type,
    /// Titles and tiles.
    pub title: Type,
    /// Keyboard letters.
    pub key: u16,
    /// Pairing digits.
    pub digits: u16,
    /// Width of an outline.
    pub outline: i32,
}

impl Metrics {
    /// The measures of a panel. The unit is an eightieth of the width or a sixtieth of the height, whichever is
    /// smaller, and at most 16.
    pub fn new(width: i32, height: i32, text: TextSize) -> Metrics {
        let u = (width / 80).min(height / 60).clamp(6, 16);
        let half = |n: i32| u * n / 2;
        let kind = |size: i32, line: i32| Type {
            size: half(size) as u16,
            line: half(line),
        };
        let body = match text {
            TextSize::Small => kind(5, 7),
            TextSize::Normal => kind(6, 8),
            TextSize::Large => kind(7, 9),
        };
        Metrics {
            width,
            height,
            u,
            caption: kind(5, 7),
            code: kind(5, 7),
            body,
            title: kind(7, 9),
            key: (u * 13 / 4) as u16,
            digits: (u * 12) as u16,
            outline: if u >= 12 { 2 } else { 1 },
        }
    }

    /// Height of header and hint bar.
    pub fn bar(&self) -> i32 {
        5 * self.u
    }

    /// Space left and right of everything.
    pub fn margin(&self) -> i32 {
        2 * self.u
    }

    /// Space between neighbours.
    pub fn gap(&self) -> i32 {
        self.u
    }

    /// Space between paragraphs.
    pub fn paragraph(&self) -> i32 {
        self.u * 3 / 2
    }

    /// Height of a row of one line.
    pub fn row(&self) -> i32 {
        6 * self.u
    }

    /// Height of a row of two lines.
    pub fn row2(&self) -> i32 {
        8 * self.u
    }

    /// Height of a chip or badge.
    pub fn pill(&self) -> i32 {
        3 * self.u
    }

    /// Corner radius of keys.
    pub fn radius_key(&self) -> i32 {
        self.u
    }

    /// Corner radius of cards, tiles and petals.
    pub fn radius_card(&self) -> i32 {
        self.u * 3 / 2
    }

    /// Corner radius of dialogs.
    pub fn radius_dialog(&self) -> i32 {
        2 * self.u
    }

    /// Widest column of running text: about 66 characters.
    pub fn column(&self) -> i32 {
        (self.width - 2 * self.margin()).min(88 * self.u)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_four_panels_and_the_large_one_have_the_sizes_of_the_design() {
        let sizes = |w, h| {
            let m = Metrics::new(w, h, TextSize::Normal);
            (
                m.u,
                m.caption.size,
                m.caption.line,
                m.body.size,
                m.body.line,
                m.title.size,
                m.title.line,
                m.key,
                m.digits,
            )
        };
        assert_eq!(sizes(640, 480), (8, 20, 28, 24, 32, 28, 36, 26, 96));
        assert_eq!(sizes(720, 480), (8, 20, 28, 24, 32, 28, 36, 26, 96));
        assert_eq!(sizes(960, 544), (9, 22, 31, 27, 36, 31, 40, 29, 108));
        assert_eq!(sizes(720, 720), (9, 22, 31, 27, 36, 31, 40, 29, 108));
        assert_eq!(Metrics::new(1920, 1152, TextSize::Normal).u, 16);
    }

    #[test]
    fn the_text_size_changes_running_text_only() {
        let m = |t| Metrics::new(640, 480, t);
        assert_eq!(m(TextSize::Small).body.size, 20);
        assert_eq!(m(TextSize::Large).body.size, 28);
        assert_eq!(m(TextSize::Large).title, m(TextSize::Small).title);
    }
}
