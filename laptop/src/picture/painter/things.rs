//! The things that stand in a scene. Each is drawn around a foot point with a height, lit by the scene's light.

use super::canvas::{Canvas, Color, Dice, mix, scale};
use super::sky::Light;
use super::words::{Ground, Scene, Thing};

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

/// Something to stand on: a rise in the ground, or a rock in the water.
fn mound(
    canvas: &mut Canvas,
    light: &Light,
    scene: &Scene,
    foot: (f32, f32),
    width: f32,
    rock: bool,
) {
    if scene.ground == Ground::Space {
        return;
    }
    let (x, y) = foot;
    let hue = match scene.ground {
        _ if rock => light.lit([0.30, 0.29, 0.27], 0.12),
        Ground::Snow => scale(light.snow(0.05), 0.92),
        Ground::Desert => light.lit([0.80, 0.58, 0.36], 0.05),
        _ => light.lit([0.27, 0.45, 0.18], 0.08),
    };
    let mut points = vec![];
    for n in 0..=24 {
        let t = n as f32 / 24.0;
        let bump =
            (t * std::f32::consts::PI).sin().max(0.0).powf(0.6) * if rock { 0.045 } else { 0.02 };
        let rough = if rock {
            ((n * 37) % 11) as f32 * 0.0011
        } else {
            0.0
        };
        points.push((x - width + t * width * 2.0, y + 0.022 - bump + rough));
    }
    canvas.poly_with(&points, |px, py| {
        scale(hue, 1.12 - (py - y + 0.02) * 7.0 + (px - x) * 0.4)
    });
}

fn boat(canvas: &mut Canvas, light: &Light, foot: (f32, f32), size: f32, hue: Color) {
    let (x, y) = foot;
    let (hull, trim) = (light.lit(hue, 0.05), light.lit([0.95, 0.93, 0.88], 0.05));
    // Sails catch more light than anything else; otherwise they are lost before a bright sky.
    let sail = mix(light.lit([0.98, 0.95, 0.87], 0.0), [0.98, 0.96, 0.90], 0.55);
    // Its mirror image first, darker and broken by the water's own lines.
    for n in 0..12 {
        let t = n as f32 / 12.0;
        let (dy, half) = (t * size * 0.75, size * (0.36 - t * 0.28));
        let tone = if t < 0.18 {
            scale(hull, 0.6)
        } else {
            mix(scale(sail, 0.75), light.middle, 0.35)
        };
        canvas.stroke(
            (x - half * 0.8, y + 0.012 + dy),
            (x + half * 0.9, y + 0.012 + dy),
            size * 0.028,
            tone,
            0.34 * (1.0 - t),
        );
    }
    canvas.stroke(
        (x, y),
        (x, y - size),
        size * 0.022,
        light.lit([0.35, 0.24, 0.15], 0.0),
        1.0,
    );
    canvas.poly_with(
        &[
            (x + size * 0.03, y - size * 0.97),
            (x + size * 0.44, y - size * 0.14),
            (x + size * 0.03, y - size * 0.12),
        ],
        |px, _| scale(sail, 1.0 - (px - x) / size * 0.45),
    );
    canvas.poly_with(
        &[
            (x - size * 0.03, y - size * 0.85),
            (x - size * 0.34, y - size * 0.15),
            (x - size * 0.03, y - size * 0.12),
        ],
        |px, _| scale(sail, 0.80 + (px - x) / size * 0.3),
    );
    let outline = [
        (x - size * 0.42, y - size * 0.10),
        (x + size * 0.50, y - size * 0.12),
        (x + size * 0.36, y + size * 0.06),
        (x + size * 0.24, y + size * 0.09),
        (x - size * 0.26, y + size * 0.09),
        (x - size * 0.36, y + size * 0.03),
    ];
    canvas.poly_with(&outline, |_, py| scale(hull, 1.12 - (py - y) / size * 2.2));
    canvas.stroke(
        (x - size * 0.41, y - size * 0.09),
        (x + size * 0.48, y - size * 0.11),
        size * 0.022,
        trim,
        1.0,
    );
    canvas.stroke(
        (x - size * 0.36, y + size * 0.09),
        (x + size * 0.34, y + size * 0.09),
        size * 0.018,
        mix(trim, light.haze, 0.5),
        0.7,
    );
}

fn house(canvas: &mut Canvas, light: &Light, foot: (f32, f32), size: f32, hue: Color) {
    let (x, y) = foot;
    let wall = light.lit(hue, 0.05);
    let (w, h) = (size * 1.25, size * 0.80);
    let roof = light.lit([0.52, 0.22, 0.16], 0.05);
    let lamp_right = light.lamp.0 > x;
    canvas.rect(
        x + w * 0.22,
        y - h - size * 0.50,
        size * 0.13,
        size * 0.30,
        scale(roof, 0.75),
    );
    for puff in 0..5 {
        let t = puff as f32;
        let (px, py) = (
            x + w * 0.27 + t * size * 0.07,
            y - h - size * 0.58 - t * size * 0.11,
        );
        let under = canvas.sample(px.clamp(0.0, canvas.aspect()), py.max(0.0));
        canvas.ellipse(
            px,
            py,
            size * (0.055 + t * 0.018),
            size * (0.045 + t * 0.014),
            mix(under, [0.88; 3], 0.42 - t * 0.07),
        );
    }
    canvas.poly_with(
        &[
            (x - w / 2.0, y),
            (x - w / 2.0, y - h),
            (x + w / 2.0, y - h),
            (x + w / 2.0, y),
        ],
        |px, _| {
            let t = (px - x) / w + 0.5;
            scale(wall, 0.80 + 0.26 * if lamp_right { t } else { 1.0 - t })
        },
    );
    let eave = [
        (x - w * 0.58, y - h),
        (x - w * 0.30, y - h - size * 0.46),
        (x + w * 0.30, y - h - size * 0.46),
        (x + w * 0.58, y - h),
    ];
    canvas.poly_with(&eave, |_, py| {
        scale(roof, 1.15 + (py - (y - h)) / size * 0.7)
    });
    for line in 1..4 {
        let t = line as f32 / 4.0;
        let (ry, half) = (y - h - size * 0.46 * t, w * (0.58 - 0.28 * t));
        canvas.stroke(
            (x - half, ry),
            (x + half, ry),
            size * 0.012,
            scale(roof, 0.7),
            0.6,
        );
    }
    let glass = if light.lamps_on {
        [1.0, 0.83, 0.46]
    } else {
        light.lit([0.36, 0.52, 0.66], 0.0)
    };
    let frame = light.lit([0.96, 0.95, 0.92], 0.0);
    for side in [-0.30, 0.30] {
        let (wx, wy, ww) = (x + w * side - size * 0.11, y - h * 0.72, size * 0.22);
        if light.lamps_on {
            canvas.glow(
                wx + ww / 2.0,
                wy + ww / 2.0,
                size * 0.42,
                [1.0, 0.75, 0.36],
                0.5,
            );
        }
        canvas.rect(
            wx - size * 0.02,
            wy - size * 0.02,
            ww + size * 0.04,
            ww + size * 0.04,
            frame,
        );
        canvas.rect(wx, wy, ww, ww, glass);
        canvas.rect(wx + ww / 2.0 - size * 0.009, wy, size * 0.018, ww, frame);
        canvas.rect(wx, wy + ww / 2.0 - size * 0.009, ww, size * 0.018, frame);
    }
    let door = light.lit([0.34, 0.20, 0.13], 0.0);
    canvas.rect(x - size * 0.10, y - h * 0.56, size * 0.20, h * 0.56, door);
    canvas.ellipse(
        x + size * 0.06,
        y - h * 0.27,
        size * 0.014,
        size * 0.014,
        light.lit([0.9, 0.75, 0.35], 0.0),
    );
}

fn tree(
    canvas: &mut Canvas,
    light: &Light,
    foot: (f32, f32),
    size: f32,
    hue: Color,
    dice: &mut Dice,
) {
    let (x, y) = foot;
    let bark = light.lit([0.32, 0.21, 0.13], 0.0);
    canvas.poly(
        &[
            (x - size * 0.055, y),
            (x - size * 0.03, y - size * 0.5),
            (x + size * 0.03, y - size * 0.5),
            (x + size * 0.065, y),
        ],
        bark,
    );
    for (dx, dy) in [(-0.20, -0.62), (0.21, -0.66), (0.05, -0.75)] {
        canvas.stroke(
            (x, y - size * 0.40),
            (x + size * dx, y + size * dy),
            size * 0.030,
            bark,
            1.0,
        );
    }
    for layer in 0..3 {
        for _ in 0..26 {
            let (angle, far) = (dice.range(0.0, std::f32::consts::TAU), dice.unit().sqrt());
            let (u, v) = (angle.cos() * far, angle.sin() * far);
            let side = (light.lamp.0 - x).signum();
            let tone = 0.62 + 0.26 * layer as f32 - v * 0.22 + u * side * 0.16;
            let (lx, ly) = (
                x + u * size * 0.33,
                y - size * 0.70 + v * size * 0.27 - layer as f32 * size * 0.015,
            );
            let r = size * dice.range(0.035, 0.085) * (1.15 - layer as f32 * 0.25);
            canvas.ellipse(lx, ly, r, r * 0.85, light.lit(scale(hue, tone), 0.0));
        }
    }
}

fn lighthouse(canvas: &mut Canvas, light: &Light, foot: (f32, f32), size: f32, hue: Color) {
    let (x, y) = foot;
    let (low, high) = (size * 0.105, size * 0.065);
    let top = y - size * 0.80;
    let lamp_right = light.lamp.0 > x;
    let (band, white) = (light.lit(hue, 0.05), light.lit([0.97, 0.96, 0.93], 0.05));
    canvas.poly_with(
        &[(x - low, y), (x - high, top), (x + high, top), (x + low, y)],
        |px, py| {
            let stripe = (((py - top) / (size * 0.80)) * 5.0) as i32 % 2 == 0;
            let side = (px - x) / low;
            scale(
                if stripe { band } else { white },
                0.86 + if lamp_right { side } else { -side } * 0.24,
            )
        },
    );
    let dark = light.lit([0.16, 0.16, 0.19], 0.0);
    let lamp_y = top - size * 0.055;
    if light.lamps_on {
        for (reach, cover) in [(0.055, 0.10), (0.035, 0.16), (0.018, 0.24)] {
            canvas.stroke(
                (x, lamp_y),
                (x + size * 1.6, lamp_y - size * 0.30),
                size * reach * 2.0,
                [1.0, 0.94, 0.72],
                cover,
            );
            canvas.stroke(
                (x, lamp_y),
                (x - size * 1.6, lamp_y + size * 0.20),
                size * reach * 2.0,
                [1.0, 0.94, 0.72],
                cover,
            );
        }
        canvas.glow(x, lamp_y, size * 0.42, [1.0, 0.90, 0.60], 0.9);
    }
    canvas.rect(
        x - high * 1.5,
        top - size * 0.012,
        high * 3.0,
        size * 0.03,
        dark,
    );
    canvas.rect(
        x - high * 0.75,
        top - size * 0.10,
        high * 1.5,
        size * 0.10,
        if light.lamps_on {
            [1.0, 0.95, 0.75]
        } else {
            scale(white, 0.8)
        },
    );
    canvas.stroke((x, top - size * 0.10), (x, top), size * 0.010, dark, 1.0);
    canvas.poly(
        &[
            (x - high, top - size * 0.095),
            (x, top - size * 0.19),
            (x + high, top - size * 0.095),
        ],
        band,
    );
    canvas.rect(
        x - size * 0.018,
        y - size * 0.42,
        size * 0.036,
        size * 0.06,
        dark,
    );
    canvas.rect(
        x - size * 0.024,
        y - size * 0.11,
        size * 0.048,
        size * 0.11,
        dark,
    );
}

fn castle(canvas: &mut Canvas, light: &Light, foot: (f32, f32), size: f32, hue: Color) {
    let (x, y) = foot;
    let (stone, roof) = (light.lit(hue, 0.15), light.lit([0.26, 0.30, 0.46], 0.1));
    let glass = if light.lamps_on {
        [1.0, 0.82, 0.45]
    } else {
        scale(stone, 0.45)
    };
    let mut tower = |dx: f32, width: f32, height: f32, pointed: bool| {
        let (cx, half, top) = (x + size * dx, size * width / 2.0, y - size * height);
        canvas.poly_with(
            &[
                (cx - half, y + 0.02),
                (cx - half, top),
                (cx + half, top),
                (cx + half, y + 0.02),
            ],
            |px, _| {
                scale(
                    stone,
                    0.92 + (px - cx) / half * if light.lamp.0 > cx { 0.2 } else { -0.2 },
                )
            },
        );
        if pointed {
            canvas.poly(
                &[
                    (cx - half * 1.35, top),
                    (cx, top - size * width * 1.5),
                    (cx + half * 1.35, top),
                ],
                roof,
            );
            canvas.stroke(
                (cx, top - size * width * 1.5),
                (cx, top - size * width * 1.9),
                size * 0.010,
                roof,
                1.0,
            );
        } else {
            let teeth = (width / 0.055) as usize;
            for n in (0..teeth).step_by(2) {
                canvas.rect(
                    cx - half + n as f32 * 2.0 * half / teeth as f32,
                    top - size * 0.045,
                    2.0 * half / teeth as f32,
                    size * 0.05,
                    stone,
                );
            }
        }
        for row in 0..((height / 0.22) as usize) {
            canvas.rect(
                cx - size * 0.012,
                top + size * (0.07 + row as f32 * 0.17),
                size * 0.024,
                size * 0.055,
                glass,
            );
        }
    };
    tower(0.0, 0.95, 0.42, false);
    tower(0.0, 0.20, 0.86, true);
    tower(-0.44, 0.17, 0.62, true);
    tower(0.44, 0.17, 0.68, true);
    tower(-0.22, 0.13, 0.52, false);
    tower(0.24, 0.13, 0.55, false);
    canvas.ellipse(
        x,
        y - size * 0.10,
        size * 0.075,
        size * 0.13,
        scale(stone, 0.3),
    );
    canvas.rect(
        x - size * 0.075,
        y - size * 0.10,
        size * 0.15,
        size * 0.13,
        scale(stone, 0.3),
    );
}

fn balloon(canvas: &mut Canvas, light: &Light, centre: (f32, f32), size: f32, hue: Color) {
    let (x, y) = centre;
    let (main, pale) = (light.lit(hue, 0.1), light.lit([0.98, 0.92, 0.78], 0.1));
    let rope = light.lit([0.3, 0.25, 0.2], 0.1);
    for dx in [-0.5, 0.5] {
        canvas.stroke(
            (x + dx * size, y + size * 0.8),
            (x + dx * size * 0.4, y + size * 1.62),
            size * 0.03,
            rope,
            1.0,
        );
    }
    canvas.poly(
        &[
            (x - size * 0.62, y + size * 0.72),
            (x + size * 0.62, y + size * 0.72),
            (x + size * 0.2, y + size * 1.25),
            (x - size * 0.2, y + size * 1.25),
        ],
        scale(main, 0.85),
    );
    canvas.ellipse_with(x, y, size, size * 1.06, |u, v| {
        let wide = (1.0 - v * v).max(0.01).sqrt();
        let stripe =
            ((u / wide).clamp(-1.0, 1.0).asin() * 4.0 / std::f32::consts::PI + 2.0) as i32 % 2 == 0;
        let z = (1.0 - u * u - v * v).max(0.0).sqrt();
        let lit = 0.68 + 0.30 * z - 0.12 * v + 0.16 * u * (light.lamp.0 - x).signum();
        scale(if stripe { main } else { pale }, lit)
    });
    canvas.rect(
        x - size * 0.22,
        y + size * 1.60,
        size * 0.44,
        size * 0.28,
        light.lit([0.48, 0.31, 0.17], 0.05),
    );
}

fn rocket(canvas: &mut Canvas, light: &Light, centre: (f32, f32), size: f32, hue: Color) {
    let (x, y) = centre;
    let body = mix(scale(hue, 0.9), light.middle, 0.08);
    let fin = [0.78, 0.20, 0.18];
    canvas.glow(x, y + size * 0.42, size * 0.55, [1.0, 0.62, 0.22], 0.9);
    for (width, length, color) in [
        (0.20, 0.60, [1.0, 0.45, 0.12]),
        (0.13, 0.46, [1.0, 0.75, 0.25]),
        (0.06, 0.30, [1.0, 0.97, 0.85]),
    ] {
        canvas.poly(
            &[
                (x - size * width / 2.0, y + size * 0.28),
                (x + size * width / 2.0, y + size * 0.28),
                (x, y + size * (0.28 + length)),
            ],
            color,
        );
    }
    for side in [-1.0, 1.0] {
        canvas.poly(
            &[
                (x + side * size * 0.10, y + size * 0.05),
                (x + side * size * 0.24, y + size * 0.34),
                (x + side * size * 0.08, y + size * 0.26),
            ],
            fin,
        );
    }
    let mut outline = vec![];
    for n in 0..=20 {
        let t = n as f32 / 20.0;
        outline.push((
            x - size * 0.125 * (t * 1.9).min(1.0).powf(0.55) * (1.0 - (t - 0.7).max(0.0) * 0.6),
            y - size * 0.55 + t * size * 0.84,
        ));
    }
    for n in (0..=20).rev() {
        let t = n as f32 / 20.0;
        outline.push((
            x + size * 0.125 * (t * 1.9).min(1.0).powf(0.55) * (1.0 - (t - 0.7).max(0.0) * 0.6),
            y - size * 0.55 + t * size * 0.84,
        ));
    }
    canvas.poly_with(&outline, |px, py| {
        let side = (px - x) / (size * 0.125);
        let base = if py < y - size * 0.36 { fin } else { body };
        scale(base, 0.95 - side * 0.30)
    });
    canvas.ellipse(
        x,
        y - size * 0.14,
        size * 0.062,
        size * 0.062,
        [0.30, 0.33, 0.38],
    );
    canvas.ellipse_with(x, y - size * 0.14, size * 0.047, size * 0.047, |u, v| {
        mix([0.30, 0.62, 0.85], [0.85, 0.95, 1.0], (-u - v) * 0.4 + 0.3)
    });
}

fn flowers(
    canvas: &mut Canvas,
    light: &Light,
    color: Option<Color>,
    usual: &[Color],
    dice: &mut Dice,
    shrink: f32,
) {
    let aspect = canvas.aspect();
    let count = (46.0 * aspect * shrink) as usize;
    let mut list: Vec<(f32, f32, usize)> = (0..count)
        .map(|_| {
            (
                dice.unit() * aspect,
                dice.unit().powf(0.8),
                dice.below(usual.len()),
            )
        })
        .collect();
    list.sort_by(|a, b| a.1.total_cmp(&b.1));
    for (x, near, which) in list {
        let foot = 0.74 + near * 0.30;
        let size = 0.012 + near * near * 0.050;
        let height = size * dice.range(2.4, 3.4);
        let (hx, hy) = (x + dice.range(-0.3, 0.3) * size, foot - height);
        let stem = light.lit([0.20, 0.42, 0.15], 0.0);
        canvas.stroke((x, foot), (hx, hy), size * 0.14, stem, 1.0);
        canvas.stroke(
            (x, foot - height * 0.4),
            (x + size * 0.7, foot - height * 0.62),
            size * 0.22,
            scale(stem, 1.15),
            1.0,
        );
        let hue = color.map_or(usual[which], |c| mix(c, usual[which], 0.10));
        let petals = 7;
        for n in 0..petals {
            let angle = n as f32 / petals as f32 * std::f32::consts::TAU + near * 3.0;
            let (px, py) = (
                hx + angle.cos() * size * 0.55,
                hy + angle.sin() * size * 0.45,
            );
            canvas.ellipse(
                px,
                py,
                size * 0.42,
                size * 0.36,
                light.lit(scale(hue, 0.86 + 0.22 * -angle.sin()), 0.0),
            );
        }
        let heart = if hue[0] > 0.9 && hue[1] > 0.7 {
            [0.45, 0.28, 0.12]
        } else {
            [0.98, 0.82, 0.28]
        };
        canvas.ellipse(hx, hy, size * 0.32, size * 0.28, light.lit(heart, 0.0));
    }
}

fn cat(canvas: &mut Canvas, light: &Light, foot: (f32, f32), size: f32, hue: Color) {
    let (x, y) = foot;
    // The nearest things get a little extra light, or a black cat at night would be a hole.
    let fur = mix(light.lit(hue, 0.0), hue, 0.40);
    let (dark, pale) = (scale(fur, 0.70), mix(fur, [1.0, 0.97, 0.92], 0.55));
    let at = |dx: f32, dy: f32| (x + dx * size, y + dy * size);
    canvas.ellipse(
        x,
        y - size * 0.01,
        size * 0.40,
        size * 0.045,
        mix(canvas.sample(x, y.min(0.99)), [0.02, 0.02, 0.04], 0.45),
    );
    let mut last = at(0.20, -0.06);
    for n in 1..=22 {
        let t = n as f32 / 22.0;
        let next = at(
            0.20 + 0.26 * (t * 2.6).sin().max(-0.2) + t * 0.06,
            -0.06 - t * 0.40 + (t * 3.1).sin() * 0.04,
        );
        canvas.stroke(
            last,
            next,
            size * (0.085 - t * 0.022),
            if n > 18 { dark } else { fur },
            1.0,
        );
        last = next;
    }
    let (cx, cy) = at(0.0, -0.26);
    let lamp_side = (light.lamp.0 - x).signum();
    canvas.ellipse_with(cx, cy, size * 0.235, size * 0.29, |u, v| {
        scale(fur, 1.0 + u * lamp_side * 0.18 - v * 0.14)
    });
    canvas.ellipse_with(x, y - size * 0.13, size * 0.27, size * 0.155, |u, v| {
        scale(fur, 0.96 + u * lamp_side * 0.16 - v * 0.2)
    });
    canvas.ellipse(x, y - size * 0.27, size * 0.105, size * 0.20, pale);
    for side in [-1.0, 1.0] {
        canvas.stroke(
            at(side * 0.085, -0.24),
            at(side * 0.085, -0.035),
            size * 0.095,
            scale(fur, 1.04),
            1.0,
        );
        canvas.ellipse(
            x + side * size * 0.092,
            y - size * 0.03,
            size * 0.072,
            size * 0.042,
            pale,
        );
    }
    for side in [-1.0, 1.0] {
        canvas.poly(
            &[
                at(side * 0.205, -0.62),
                at(side * 0.215, -0.90),
                at(side * 0.035, -0.745),
            ],
            fur,
        );
        canvas.poly(
            &[
                at(side * 0.180, -0.66),
                at(side * 0.192, -0.83),
                at(side * 0.085, -0.745),
            ],
            [0.88, 0.58, 0.56],
        );
    }
    canvas.ellipse_with(x, y - size * 0.60, size * 0.225, size * 0.185, |u, v| {
        scale(fur, 1.06 + u * lamp_side * 0.14 - v * 0.12)
    });
    for n in -1..=1 {
        canvas.stroke(
            at(n as f32 * 0.05, -0.775),
            at(n as f32 * 0.04, -0.70),
            size * 0.020,
            dark,
            0.8,
        );
    }
    for side in [-1.0, 1.0] {
        for stripe in 0..3 {
            let sy = -0.40 + stripe as f32 * 0.09;
            canvas.stroke(
                at(side * 0.22, sy),
                at(side * 0.13, sy + 0.02),
                size * 0.022,
                dark,
                0.6,
            );
        }
        canvas.ellipse(
            x + side * size * 0.062,
            y - size * 0.525,
            size * 0.072,
            size * 0.055,
            pale,
        );
    }
    for side in [-1.0, 1.0] {
        let (ex, ey) = at(side * 0.098, -0.615);
        canvas.ellipse(ex, ey, size * 0.056, size * 0.050, scale(dark, 0.5));
        canvas.ellipse_with(ex, ey, size * 0.049, size * 0.044, |u, v| {
            mix([0.80, 0.88, 0.30], [0.42, 0.64, 0.22], u * u + v * v)
        });
        canvas.ellipse(ex, ey, size * 0.016, size * 0.040, [0.03, 0.03, 0.04]);
        canvas.ellipse(
            ex - size * 0.014,
            ey - size * 0.017,
            size * 0.010,
            size * 0.010,
            [1.0; 3],
        );
        for whisker in 0..3 {
            let dy = -0.54 + whisker as f32 * 0.022;
            canvas.stroke(
                at(side * 0.10, dy),
                at(side * 0.33, dy - 0.035 + whisker as f32 * 0.03),
                size * 0.006,
                [0.95, 0.95, 0.92],
                0.8,
            );
        }
    }
    canvas.poly(
        &[at(-0.027, -0.560), at(0.027, -0.560), at(0.0, -0.530)],
        [0.84, 0.47, 0.47],
    );
    for side in [-1.0, 1.0] {
        let corner = at(side * 0.040, -0.500);
        canvas.stroke(
            at(0.0, -0.530),
            at(0.0, -0.512),
            size * 0.010,
            scale(dark, 0.6),
            1.0,
        );
        canvas.stroke(at(0.0, -0.512), corner, size * 0.010, scale(dark, 0.6), 1.0);
        canvas.stroke(
            corner,
            at(side * 0.072, -0.516),
            size * 0.010,
            scale(dark, 0.6),
            1.0,
        );
    }
}

fn robot(canvas: &mut Canvas, light: &Light, foot: (f32, f32), size: f32, hue: Color) {
    let (x, y) = foot;
    let metal = mix(light.lit(hue, 0.0), hue, 0.35);
    let (dark, eye) = (scale(metal, 0.45), [0.35, 0.95, 1.0]);
    let lamp_side = (light.lamp.0 - x).signum();
    canvas.ellipse(
        x,
        y,
        size * 0.34,
        size * 0.04,
        mix(canvas.sample(x, y.min(0.99)), [0.02, 0.02, 0.04], 0.5),
    );
    let mut plate = |dx: f32, dy: f32, w: f32, h: f32, color: Color| {
        let (left, top, cut) = (
            x + (dx - w / 2.0) * size,
            y + dy * size,
            size * w.min(h) * 0.16,
        );
        let (right, low) = (left + w * size, top + h * size);
        let outline = [
            (left + cut, top),
            (right - cut, top),
            (right, top + cut),
            (right, low - cut),
            (right - cut, low),
            (left + cut, low),
            (left, low - cut),
            (left, top + cut),
        ];
        canvas.poly_with(&outline, |px, py| {
            let (u, v) = (
                (px - left) / (right - left) - 0.5,
                (py - top) / (low - top) - 0.5,
            );
            scale(color, 1.0 + u * lamp_side * 0.42 - v * 0.26)
        });
    };
    for side in [-1.0, 1.0] {
        plate(side * 0.115, -0.24, 0.10, 0.19, dark);
        plate(side * 0.125, -0.07, 0.17, 0.07, metal);
        plate(side * 0.285, -0.55, 0.085, 0.26, dark);
        plate(side * 0.285, -0.31, 0.11, 0.085, metal);
        plate(side * 0.270, -0.60, 0.12, 0.10, metal);
    }
    plate(0.0, -0.60, 0.44, 0.39, metal);
    plate(0.0, -0.54, 0.30, 0.20, scale(metal, 0.72));
    plate(0.0, -0.665, 0.12, 0.08, dark);
    plate(0.0, -0.93, 0.40, 0.28, metal);
    plate(0.0, -0.885, 0.32, 0.165, [0.07, 0.09, 0.12]);
    plate(0.225, -0.85, 0.05, 0.11, dark);
    plate(-0.225, -0.85, 0.05, 0.11, dark);
    let at = |dx: f32, dy: f32| (x + dx * size, y + dy * size);
    canvas.stroke(at(0.0, -0.93), at(0.0, -1.03), size * 0.016, dark, 1.0);
    canvas.glow(x, y - size * 1.04, size * 0.12, [1.0, 0.45, 0.35], 0.8);
    canvas.ellipse(
        x,
        y - size * 1.04,
        size * 0.026,
        size * 0.026,
        [1.0, 0.38, 0.30],
    );
    for side in [-1.0, 1.0] {
        let (ex, ey) = at(side * 0.082, -0.815);
        canvas.glow(ex, ey, size * 0.13, eye, 0.75);
        canvas.ellipse(ex, ey, size * 0.042, size * 0.046, eye);
        canvas.ellipse(
            ex - size * 0.012,
            ey - size * 0.014,
            size * 0.013,
            size * 0.013,
            [1.0; 3],
        );
    }
    canvas.stroke(at(-0.05, -0.750), at(0.05, -0.750), size * 0.012, eye, 0.9);
    for (n, color) in [[0.95, 0.35, 0.30], [0.98, 0.80, 0.30], [0.40, 0.85, 0.45]]
        .into_iter()
        .enumerate()
    {
        canvas.ellipse(
            x + size * (n as f32 - 1.0) * 0.075,
            y - size * 0.48,
            size * 0.023,
            size * 0.023,
            color,
        );
    }
    for n in 0..4 {
        canvas.stroke(
            at(-0.11 + n as f32 * 0.073, -0.42),
            at(-0.11 + n as f32 * 0.073, -0.375),
            size * 0.018,
            dark,
            1.0,
        );
    }
}
