//! Finding an interface that can host a group.

use super::{Group, Phase, Why};
use crate::link::radio::check;
use crate::link::radio::probe::{Answers, Question, questions};
use crate::link::radio::world::P2P_DEVICE;

impl Group {
    /// Asks every interface what it can.
    pub(super) fn begin(&mut self) {
        let named = self.wanted.interface.as_deref();
        if let Some(trouble) = check::missing(&self.world, named) {
            return self.rest(Some(trouble));
        }
        let mut answers = Vec::new();
        for interface in check::candidates(&self.world, named) {
            let asked = questions(&self.world, interface);
            let ends = |name: &str| {
                self.world
                    .socket(name)
                    .is_some_and(|socket| self.ending.contains(&socket.id))
            };
            if !asked.is_empty() && !asked.iter().any(|(socket, ..)| ends(socket)) {
                for (socket, command, question) in asked {
                    self.queue.push_back(super::Job {
                        socket,
                        command,
                        why: Why::Question(answers.len(), question),
                    });
                }
                answers.push(Answers::about(&self.world, interface));
            }
        }
        self.phase = Phase::Asking { answers };
        // Nobody may be left to ask.
        self.settle();
    }

    pub(super) fn learned(&mut self, index: usize, question: Question, reply: &str) {
        if let Phase::Asking { answers } = &mut self.phase
            && let Some(answers) = answers.get_mut(index)
        {
            answers.take(question, reply);
        }
    }

    /// Picks the interface. One with a P2P device of its own goes first, because of several radios under one
    /// wpa_supplicant only one has P2P; then one that is on no network, because it need not share its channel.
    pub(super) fn choose(&mut self) {
        let Phase::Asking { answers } = &mut self.phase else {
            return;
        };
        let mut answers = std::mem::take(answers);
        answers.sort_by_key(|answers| {
            (
                !answers.p2p.starts_with(P2P_DEVICE),
                answers.station.is_some(),
            )
        });
        let trouble = answers.iter().find_map(check::unfit);
        self.others = answers
            .into_iter()
            .filter(|answers| check::unfit(answers).is_none())
            .collect();
        match self.others.pop_front() {
            Some(place) => self.prepare(place),
            None => self.rest(trouble),
        }
    }
}
