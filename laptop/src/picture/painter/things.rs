//! The things that stand in a scene. Each is drawn around a foot point with a height, lit by the scene's light.

mod buildings;
mod craft;
mod figures;
mod plants;

use super::canvas::{Canvas, Color, Dice};
use super::sky::Light;
use super::words::{Ground, Scene, Thing};
use buildings::{castle, house, lighthouse, mound};
use craft::{balloon, boat, rocket};
use figures::{cat, robot};
use plants::{flowers, tree};

/// Draws all things of the scene, far ones first.
pub fn draw(canvas: &mut Canvas, light: &Light, scene: &Scene, seed: u64) {
    let aspect = canvas.aspect();
    let order = |thing: &Thing| match thing {
        Thing::Bird | Thing::Balloon | Thing::Rocket => 0,
        Thing::Castle | Thing::Lighthouse => 1,
        Thing::House | Thing::Tree | Thing::Boat => 2,
        Thing::Flower => 3,
        Thing::Cat | Thing::Robot => 4,
    };
    let mut things = scene.things.clone();
    things.sort_by_key(|(thing, ..)| order(thing));
    let grounded = things
        .iter()
        .filter(|(t, ..)| order(t) > 0 && *t != Thing::Flower)
        .count()
        .max(1);
    let mut place = 0usize;
    for (n, (thing, color, many)) in things.iter().enumerate() {
        let mut dice = Dice::new(seed, 100 + n as u64);
        // Grounded things share the width; a lone one stands by the golden section.
        let x = if grounded == 1 {
            aspect
                * if light.lamp.0 < aspect / 2.0 {
                    0.60
                } else {
                    0.40
                }
        } else {
            aspect * (place as f32 + 0.7) / (grounded as f32 + 0.4)
        };
        if order(thing) > 0 && *thing != Thing::Flower {
            place += 1;
        }
        let copies = if *many { 3 } else { 1 };
        for copy in 0..copies {
            let spread = aspect * 0.27 / grounded as f32;
            let shift = [0.0, -spread, spread][copy] * dice.range(0.9, 1.1);
            let shrink = [1.0, 0.72, 0.82][copy];
            one(
                canvas,
                light,
                scene,
                *thing,
                (x + shift, shrink),
                *color,
                &mut dice,
            );
        }
    }
}

fn one(
    canvas: &mut Canvas,
    light: &Light,
    scene: &Scene,
    thing: Thing,
    place: (f32, f32),
    color: Option<Color>,
    dice: &mut Dice,
) {
    let (x, shrink) = place;
    let space = scene.ground == Ground::Space;
    let on_water = scene.ground == Ground::Water;
    let near = if space {
        0.93
    } else {
        0.90 + (1.0 - shrink) * -0.12
    };
    let shore = light.horizon + 0.03;
    match thing {
        Thing::Boat if on_water => {
            let foot = light.horizon + (1.0 - light.horizon) * (0.34 + 0.25 * (shrink - 0.72));
            boat(
                canvas,
                light,
                (x, foot),
                0.34 * shrink,
                color.unwrap_or([0.58, 0.20, 0.14]),
            );
        }
        Thing::Boat => boat(
            canvas,
            light,
            (x, near),
            0.34 * shrink,
            color.unwrap_or([0.58, 0.20, 0.14]),
        ),
        Thing::House => {
            let foot = if on_water {
                shore
            } else {
                light.horizon + 0.12
            };
            mound(canvas, light, scene, (x, foot), 0.26 * shrink, on_water);
            house(
                canvas,
                light,
                (x, foot),
                0.21 * shrink,
                color.unwrap_or([0.90, 0.84, 0.72]),
            );
        }
        Thing::Tree => {
            let foot = if on_water {
                shore
            } else {
                light.horizon + 0.16
            };
            mound(canvas, light, scene, (x, foot), 0.20 * shrink, on_water);
            tree(
                canvas,
                light,
                (x, foot),
                0.42 * shrink,
                color.unwrap_or([0.25, 0.48, 0.17]),
                dice,
            );
        }
        Thing::Lighthouse => {
            mound(canvas, light, scene, (x, shore), 0.24 * shrink, true);
            lighthouse(
                canvas,
                light,
                (x, shore),
                0.44 * shrink,
                color.unwrap_or([0.80, 0.18, 0.16]),
            );
        }
        Thing::Castle => {
            let foot = light.horizon + 0.02;
            mound(canvas, light, scene, (x, foot + 0.03), 0.36 * shrink, true);
            castle(
                canvas,
                light,
                (x, foot),
                0.33 * shrink,
                color.unwrap_or([0.56, 0.54, 0.56]),
            );
        }
        Thing::Balloon => balloon(
            canvas,
            light,
            (x, 0.30 + (1.0 - shrink) * 0.3),
            0.13 * shrink,
            color.unwrap_or([0.88, 0.30, 0.22]),
        ),
        Thing::Bird => {
            for _ in 0..6 {
                let (bx, by, size) = (
                    x + dice.range(-0.35, 0.35),
                    dice.range(0.14, 0.42),
                    dice.range(0.018, 0.034),
                );
                let hue = light.lit(color.unwrap_or([0.13, 0.13, 0.17]), 0.1);
                canvas.stroke(
                    (bx - size, by - size * 0.4),
                    (bx - size * 0.3, by - size * 0.55),
                    0.005,
                    hue,
                    1.0,
                );
                canvas.stroke(
                    (bx - size * 0.3, by - size * 0.55),
                    (bx, by),
                    0.005,
                    hue,
                    1.0,
                );
                canvas.stroke(
                    (bx, by),
                    (bx + size * 0.3, by - size * 0.55),
                    0.005,
                    hue,
                    1.0,
                );
                canvas.stroke(
                    (bx + size * 0.3, by - size * 0.55),
                    (bx + size, by - size * 0.35),
                    0.005,
                    hue,
                    1.0,
                );
            }
        }
        Thing::Rocket => rocket(
            canvas,
            light,
            (x, 0.62),
            0.36 * shrink,
            color.unwrap_or([0.92, 0.92, 0.94]),
        ),
        Thing::Flower => {
            let default = [
                [0.90, 0.25, 0.25],
                [0.96, 0.80, 0.25],
                [0.72, 0.38, 0.80],
                [0.96, 0.95, 0.92],
            ];
            flowers(canvas, light, color, &default, dice, shrink);
        }
        Thing::Cat => cat(
            canvas,
            light,
            (x, near + 0.05),
            0.46 * shrink,
            color.unwrap_or([0.83, 0.52, 0.24]),
        ),
        Thing::Robot => robot(
            canvas,
            light,
            (x, near + 0.04),
            0.52 * shrink,
            color.unwrap_or([0.62, 0.68, 0.74]),
        ),
    }
}
