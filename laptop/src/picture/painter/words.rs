//! From the words of a prompt to a scene. Pure.

use super::canvas::Color;

/// Time of day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Time {
    /// Bright day.
    Day,
    /// The sun stands low, warm light.
    Sunset,
    /// Early, pale light.
    Dawn,
    /// Dark.
    Night,
}

/// What covers the lower part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ground {
    /// Open water.
    Water,
    /// Grass.
    Meadow,
    /// Dunes.
    Desert,
    /// Snow.
    Snow,
    /// A street or square.
    Street,
    /// Nothing: space.
    Space,
}

/// The manner of painting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Brush strokes.
    Oil,
    /// Thin colour on paper.
    Watercolour,
    /// Few large square pixels.
    Pixel,
    /// Black lines on paper.
    Ink,
    /// Glowing edges on black.
    Neon,
    /// Smooth.
    Clean,
}

/// Something that stands in the scene.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Thing {
    /// A sailing boat.
    Boat,
    /// A house.
    House,
    /// Flowers.
    Flower,
    /// A cat.
    Cat,
    /// A robot.
    Robot,
    /// A single tree.
    Tree,
    /// A lighthouse.
    Lighthouse,
    /// A castle.
    Castle,
    /// A hot-air balloon.
    Balloon,
    /// Birds in the sky.
    Bird,
    /// A rocket.
    Rocket,
}

/// What to paint.
#[derive(Clone, Debug, PartialEq)]
pub struct Scene {
    /// Time of day.
    pub time: Time,
    /// Lower part.
    pub ground: Ground,
    /// Manner.
    pub style: Style,
    /// Whether mountains stand behind.
    pub mountains: bool,
    /// Whether woods stand behind.
    pub forest: bool,
    /// Whether a town stands behind.
    pub city: bool,
    /// Whether there are clouds.
    pub clouds: bool,
    /// Whether it rains.
    pub rain: bool,
    /// Whether it snows.
    pub snowfall: bool,
    /// Whether there is fog.
    pub fog: bool,
    /// Whether the moon shows.
    pub moon: bool,
    /// Whether stars show.
    pub stars: bool,
    /// Things with the colour the prompt gives them, and whether there are several.
    pub things: Vec<(Thing, Option<Color>, bool)>,
    /// Colour of the whole picture, if named.
    pub tint: Option<Color>,
    /// Whether any word was understood.
    pub understood: bool,
}

const COLORS: [(&str, Color); 20] = [
    ("red", [0.82, 0.16, 0.14]),
    ("scarlet", [0.86, 0.14, 0.10]),
    ("orange", [0.95, 0.52, 0.13]),
    ("yellow", [0.96, 0.82, 0.22]),
    ("gold", [0.88, 0.68, 0.20]),
    ("golden", [0.88, 0.68, 0.20]),
    ("green", [0.24, 0.60, 0.28]),
    ("emerald", [0.10, 0.58, 0.40]),
    ("turquoise", [0.18, 0.70, 0.70]),
    ("teal", [0.10, 0.50, 0.52]),
    ("blue", [0.18, 0.38, 0.80]),
    ("purple", [0.50, 0.25, 0.68]),
    ("violet", [0.52, 0.32, 0.78]),
    ("pink", [0.94, 0.52, 0.68]),
    ("magenta", [0.85, 0.20, 0.60]),
    ("brown", [0.45, 0.29, 0.17]),
    ("black", [0.09, 0.09, 0.11]),
    ("white", [0.95, 0.95, 0.93]),
    ("grey", [0.52, 0.54, 0.57]),
    ("gray", [0.52, 0.54, 0.57]),
];

/// The colour a word names.
pub fn color(word: &str) -> Option<Color> {
    COLORS
        .iter()
        .find(|(name, _)| *name == word)
        .map(|(_, color)| *color)
}

/// The style a text names.
pub fn style(text: &str) -> Option<Style> {
    let has = |words: &[&str]| words.iter().any(|w| text.contains(w));
    if has(&["pixel", "8-bit", "8bit", "16-bit", "retro"]) {
        Some(Style::Pixel)
    } else if has(&["watercolor", "watercolour", "aquarell", "wash"]) {
        Some(Style::Watercolour)
    } else if has(&[
        "ink", "sketch", "pencil", "drawing", "woodcut", "comic", "line art",
    ]) && !text.contains("pink")
    {
        Some(Style::Ink)
    } else if has(&["neon", "cyberpunk", "synthwave", "vaporwave"]) {
        Some(Style::Neon)
    } else if has(&["photo", "realistic", "clean", "smooth", "flat"]) {
        Some(Style::Clean)
    } else if has(&["oil", "painting", "impression", "gogh", "brush"]) {
        Some(Style::Oil)
    } else {
        None
    }
}

fn thing(word: &str) -> Option<(Thing, bool)> {
    let singular = word
        .strip_suffix("es")
        .filter(|w| w.ends_with("ch"))
        .or_else(|| word.strip_suffix('s'));
    let find = |word: &str| {
        Some(match word {
            "boat" | "sailboat" | "ship" | "yacht" | "sail" => Thing::Boat,
            "house" | "hut" | "cottage" | "cabin" | "home" | "farm" | "barn" => Thing::House,
            "flower" | "rose" | "tulip" | "daisy" | "sunflower" | "poppy" | "blossom" => {
                Thing::Flower
            }
            "cat" | "kitten" | "kitty" => Thing::Cat,
            "robot" | "android" | "droid" => Thing::Robot,
            "tree" | "oak" | "palm" => Thing::Tree,
            "lighthouse" => Thing::Lighthouse,
            "castle" | "fortress" | "palace" => Thing::Castle,
            "balloon" => Thing::Balloon,
            "bird" | "gull" | "seagull" | "swallow" => Thing::Bird,
            "rocket" | "spaceship" | "starship" => Thing::Rocket,
            _ => return None,
        })
    };
    match word {
        "poppies" | "daisies" => Some((Thing::Flower, true)),
        _ => find(word)
            .map(|t| (t, false))
            .or_else(|| singular.and_then(find).map(|t| (t, true))),
    }
}

/// Reads a prompt. `style_word` and what `negative` excludes come first; `seed` decides what the words leave open.
pub fn read(prompt: &str, style_word: &str, negative: &str, seed: u64) -> Scene {
    let text = prompt.to_lowercase();
    let words: Vec<&str> = text
        .split(|c: char| !c.is_alphanumeric())
        .filter(|w| !w.is_empty())
        .collect();
    let no: Vec<String> = negative
        .to_lowercase()
        .split(|c: char| !c.is_alphanumeric())
        .map(str::to_owned)
        .filter(|w| !w.is_empty())
        .collect();
    let has = |list: &[&str]| {
        words.iter().any(|w| {
            let plain = w.strip_suffix('s').unwrap_or(w);
            (list.contains(w) || list.contains(&plain)) && !no.iter().any(|n| n == w || n == plain)
        })
    };
    let mut things: Vec<(Thing, Option<Color>, bool)> = Vec::new();
    let (mut pending, mut tint) = (None, None);
    for (n, word) in words.iter().enumerate() {
        if let Some((kind, many)) = thing(word) {
            let excluded = no.iter().any(|w| thing(w).is_some_and(|(t, _)| t == kind));
            let counted = n > 0
                && ["two", "three", "four", "five", "many", "several", "some"]
                    .contains(&words[n - 1]);
            if !excluded
                && !things.iter().any(|(t, c, _)| *t == kind && *c == pending)
                && things.len() < 6
            {
                things.push((kind, pending.take(), many || counted));
            }
        } else if let Some(color) = color(word) {
            tint = pending.replace(color).or(tint);
        } else if !["and", "a", "little", "small", "big", "old", "sailing"].contains(word) {
            tint = pending.take().or(tint);
        }
    }
    let tint = pending.or(tint);
    if has(&["autumn", "fall", "october"]) {
        for (thing, color, _) in &mut things {
            if *thing == Thing::Tree {
                color.get_or_insert([0.86, 0.44, 0.12]);
            }
        }
    }
    let night = has(&[
        "night",
        "midnight",
        "moon",
        "moonlight",
        "moonlit",
        "star",
        "starry",
        "stars",
        "dark",
        "galaxy",
        "neon",
    ]);
    let time = if has(&["sunset", "dusk", "evening", "twilight"]) {
        Time::Sunset
    } else if has(&["sunrise", "dawn", "morning"]) {
        Time::Dawn
    } else if night {
        Time::Night
    } else if has(&["day", "noon", "sunny", "sun", "bright", "summer", "spring"]) {
        Time::Day
    } else {
        [Time::Day, Time::Day, Time::Sunset, Time::Dawn][(seed % 4) as usize]
    };
    let sea = has(&[
        "sea",
        "ocean",
        "harbour",
        "harbor",
        "lake",
        "water",
        "river",
        "beach",
        "bay",
        "coast",
        "island",
        "waves",
        "wave",
        "port",
        "reflection",
        "pond",
    ]);
    let afloat = things
        .iter()
        .any(|(t, ..)| matches!(t, Thing::Boat | Thing::Lighthouse));
    let space = has(&["space", "galaxy", "planet", "nebula", "universe", "cosmos"]);
    let snow = has(&[
        "snow", "snowy", "winter", "ice", "arctic", "glacier", "polar",
    ]);
    let city = has(&[
        "city",
        "town",
        "skyline",
        "tokyo",
        "york",
        "skyscraper",
        "harbour",
        "harbor",
        "street",
        "village",
        "port",
    ]);
    let desert = has(&["desert", "dune", "sahara", "mars", "sand"]);
    let meadow = has(&[
        "meadow", "field", "grass", "garden", "hill", "valley", "park", "farm", "spring",
    ]);
    let mountains = has(&[
        "mountain",
        "mountains",
        "alps",
        "peak",
        "volcano",
        "fjord",
        "cliff",
        "hill",
        "valley",
    ]);
    let forest = has(&["forest", "wood", "woods", "pine", "fir", "jungle", "taiga"]);
    let understood = sea
        || space
        || snow
        || city
        || desert
        || meadow
        || mountains
        || forest
        || !things.is_empty()
        || night
        || tint.is_some();
    let mut scene = Scene {
        time,
        ground: if space {
            Ground::Space
        } else if sea || afloat {
            Ground::Water
        } else if desert {
            Ground::Desert
        } else if snow {
            Ground::Snow
        } else if city && !meadow {
            Ground::Street
        } else {
            Ground::Meadow
        },
        style: style(&style_word.to_lowercase())
            .or_else(|| style(&text))
            .unwrap_or(Style::Oil),
        mountains,
        forest,
        city,
        clouds: has(&[
            "cloud", "clouds", "cloudy", "storm", "rain", "rainy", "overcast",
        ]) || (time != Time::Night && !seed.is_multiple_of(3)),
        rain: has(&["rain", "rainy", "storm"]),
        snowfall: has(&["snowing", "snowfall", "snowflake", "blizzard", "snowy"]),
        fog: has(&["fog", "foggy", "mist", "misty", "haze", "hazy"]),
        moon: has(&["moon", "moonlight", "moonlit"])
            || (time == Time::Night && !space && seed.is_multiple_of(2)),
        stars: !has(&["rain", "rainy", "storm", "fog", "foggy"])
            && (time == Time::Night || has(&["star", "starry"]))
            || space,
        things,
        tint,
        understood,
    };
    if space {
        scene.time = Time::Night;
        scene.clouds = false;
    }
    if !understood {
        // Nothing known was named: a landscape that the words' own numbers choose.
        scene.mountains = seed & 16 != 0;
        scene.forest = seed & 32 != 0 || !scene.mountains;
        scene.ground = if seed & 64 != 0 {
            Ground::Water
        } else {
            Ground::Meadow
        };
    }
    scene
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_decide_what_is_painted() {
        let scene = read(
            "A red boat in a harbour at sunset, mountains behind, oil painting",
            "",
            "",
            1,
        );
        assert_eq!(
            (scene.time, scene.ground, scene.style),
            (Time::Sunset, Ground::Water, Style::Oil)
        );
        assert!(scene.mountains && scene.city && !scene.forest);
        assert_eq!(scene.things, [(Thing::Boat, color("red"), false)]);
        assert_eq!(scene.tint, None, "the colour belongs to the boat");
    }

    #[test]
    fn colours_without_a_thing_tint_the_whole_and_several_things_are_kept() {
        let scene = read(
            "two black cats and a blue house, everything in purple",
            "pixel art",
            "",
            3,
        );
        assert_eq!(
            scene.things,
            [
                (Thing::Cat, color("black"), true),
                (Thing::House, color("blue"), false)
            ]
        );
        assert_eq!((scene.tint, scene.style), (color("purple"), Style::Pixel));
    }

    #[test]
    fn what_is_excluded_is_not_painted() {
        let scene = read("mountains with a forest and a cat", "", "cat, forest", 0);
        assert!(scene.mountains && !scene.forest && scene.things.is_empty());
    }

    #[test]
    fn words_are_whole_words_and_unknown_ones_still_give_a_landscape() {
        assert!(!read("a seance about catalogues", "", "", 8).understood);
        let scene = read("謎", "", "", 0);
        assert!(!scene.understood && (scene.mountains || scene.forest));
    }
}
