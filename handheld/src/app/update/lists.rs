//! Focus in lists: moved by buttons, kept valid when rows come and go.

use crate::app::effect::Effects;
use crate::app::hints::Act;
use crate::app::model::{Extent, ListState, Model, Overlay, Panel, Screen, Scroll};
use crate::app::view::{self, ListView, Row};

/// Moves the focus of the list on the top screen; false if the act is none of moving.
pub(super) fn moved(model: &mut Model, act: Act) -> bool {
    let Some(list) = view::list(model) else {
        return false;
    };
    let page = visible(model, &list);
    let Some(state) = state_mut(model.screen_mut()) else {
        return false;
    };
    step(state, &list.rows, act, page)
}

/// Moves a focus over rows; fixed ones are passed over, and the ends are joined.
pub(super) fn step(state: &mut ListState, rows: &[Row], act: Act, page: usize) -> bool {
    let free: Vec<usize> = (0..rows.len()).filter(|i| !rows[*i].fixed).collect();
    if free.is_empty() {
        return matches!(act, Act::Up | Act::Down | Act::PageUp | Act::PageDown);
    }
    let at = free
        .iter()
        .position(|i| *i >= state.focus)
        .unwrap_or(free.len() - 1);
    let last = free.len() - 1;
    let to = match act {
        Act::Up if at == 0 => last,
        Act::Up => at - 1,
        Act::Down if at == last => 0,
        Act::Down => at + 1,
        // A page that goes nowhere would be a button that does nothing.
        Act::PageUp if at == 0 => last,
        Act::PageUp => at.saturating_sub(page.max(1)),
        Act::PageDown if at == last => 0,
        Act::PageDown => (at + page.max(1)).min(last),
        _ => return false,
    };
    state.focus = free[to];
    true
}

/// Moves a position in a text.
pub(super) fn scrolled(scroll: &mut Scroll, extent: Extent, act: Act) -> bool {
    let top = scroll.top(extent);
    let page = extent.page.saturating_sub(1).max(1);
    let to = match act {
        Act::Up => top.saturating_sub(1),
        Act::Down => top + 1,
        Act::PageUp => top.saturating_sub(page),
        Act::PageDown => top + page,
        _ => return false,
    };
    *scroll = if to >= extent.last_top() {
        Scroll::End
    } else {
        Scroll::Top(to)
    };
    true
}

/// The list state of a screen that is a list.
fn state_mut(screen: &mut Screen) -> Option<&mut ListState> {
    match screen {
        Screen::Chats(state)
        | Screen::Outbox(state)
        | Screen::Laptop(state)
        | Screen::Nearby(state)
        | Screen::Settings(state)
        | Screen::Help(state) => Some(state),
        Screen::Gallery(state) => Some(state),
        Screen::Files(files) => Some(match files.side {
            crate::app::model::Side::Laptop => &mut files.remote,
            crate::app::model::Side::Card => &mut files.local,
        }),
        Screen::Services(services) => Some(&mut services.list),
        _ => None,
    }
}

/// Rows of this list that show at once: as `ui` measured, else what the panel has room for.
fn visible(model: &Model, list: &ListView) -> usize {
    if model.extent.page > 0 {
        return model.extent.page as usize;
    }
    rows_of(model.panel, list)
}

fn rows_of(panel: Panel, list: &ListView) -> usize {
    let extra = usize::from(!list.tabs.is_empty())
        + usize::from(!list.lead.is_empty())
        + usize::from(!list.footer.is_empty());
    panel
        .rows(if list.tall { 8 } else { 6 })
        .saturating_sub(extra)
        .max(1)
}

/// Makes every focus on the top screen and the overlay valid again, and shows it.
pub(super) fn settle(model: &mut Model, fx: &mut Effects) {
    leave_what_is_gone(model, fx);
    if let Some(list) = view::list(model) {
        let page = visible(model, &list);
        let focus = match model.screen() {
            Screen::Prompt(_) => None,
            _ => Some(list.focus.unwrap_or(0)),
        };
        if let (Some(focus), Some(state)) = (focus, state_mut(model.screen_mut())) {
            state.focus = focus;
            show(state, list.rows.len(), page);
        }
    }
    let pictures = model.pictures.list.len();
    let rows = gallery_rows(model.panel);
    if let Screen::Gallery(state) = model.screen_mut() {
        state.focus = state.focus.min(pictures.saturating_sub(1));
        let columns = view::picture::COLUMNS;
        let mut by_row = ListState {
            focus: state.focus / columns,
            top: state.top / columns,
        };
        show(&mut by_row, pictures.div_ceil(columns), rows);
        state.top = by_row.top * columns;
    }
    let panel = model.panel;
    if let Some(Overlay::Menu(menu)) = &mut model.overlay {
        menu.list.focus = menu.list.focus.min(menu.items.len().saturating_sub(1));
        show(&mut menu.list, menu.items.len(), panel.rows(6));
    }
}

/// Rows of the gallery that show at once.
pub(super) const fn gallery_rows(panel: Panel) -> usize {
    // A cell is 3:4 of a third of the width; a caption of 4u stands below.
    let usable = panel.height.saturating_sub(14 * panel.unit());
    let cell = panel.width / 4;
    match usable.checked_div(cell) {
        Some(rows) if rows > 0 => rows as usize,
        _ => 1,
    }
}

/// Moves the window so that the focus shows and no room is wasted at the end.
fn show(state: &mut ListState, rows: usize, page: usize) {
    if state.focus < state.top {
        state.top = state.focus;
    }
    if state.focus >= state.top + page {
        state.top = state.focus + 1 - page;
    }
    state.top = state.top.min(rows.saturating_sub(page));
}

/// Leaves screens whose subject has been deleted.
fn leave_what_is_gone(model: &mut Model, fx: &mut Effects) {
    loop {
        let gone = match model.screen() {
            Screen::Chat(screen) => model.chats.find(screen.chat).is_none(),
            Screen::Progress(id) => model.pictures.find(*id).is_none(),
            Screen::Viewer(viewer) => model.pictures.find(viewer.picture).is_none(),
            _ => false,
        };
        if !gone {
            return;
        }
        super::nav::back(model, fx);
    }
}
