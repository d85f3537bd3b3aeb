//! What the inputs say: where each arm is, whether a car stands on a loop, who has pressed a button.
//!
//! Pure: levels and the time go in, what is to be told comes out. It must not know the board, the host or commands.

use serde_json::{Value, json};
use tollhouse_field::{Arm, Position, Switches};

use crate::config::{Active, Barrier, Config, Contact, Input, Loop, PassedWhen};
use crate::pdu::Level;

/// Something to tell: the MQTT contract's topic and body.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Say {
    pub(crate) device: String,
    pub(crate) topic: &'static str,
    pub(crate) body: Value,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Lane {
    first_input: u16,
    arms: Vec<(Barrier, Arm)>,
    loops: Vec<Loop>,
    buttons: Vec<Contact>,
    alarms: Vec<Contact>,
    before: Option<Vec<Level>>,
}

impl Lane {
    pub(crate) fn new(config: &Config) -> Self {
        let arm = |barrier: &Barrier| (barrier.clone(), Arm::new(barrier.travel_ms.into()));
        Self {
            first_input: config.input_range().map_or(0, |(first, _)| first),
            arms: config.barriers.iter().map(arm).collect(),
            loops: config.loops.clone(),
            buttons: config.buttons.clone(),
            alarms: config.alarms.clone(),
            before: None,
        }
    }

    /// The board was away: whatever changed meanwhile is not an event, and everything is told anew.
    pub(crate) fn forget(&mut self) {
        self.before = None;
        self.arms.iter_mut().for_each(|(_, arm)| arm.forget());
    }

    /// Where an arm was last seen.
    pub(crate) fn position(&self, barrier: usize) -> Position {
        self.arms.get(barrier).map_or(Position::Unknown, |(_, arm)| arm.position())
    }

    /// A command has set an arm in motion.
    pub(crate) fn moves(&mut self, barrier: usize, now_ms: u64) {
        if let Some((_, arm)) = self.arms.get_mut(barrier) {
            arm.moves(now_ms);
        }
    }

    /// The inputs as they are now, all of the range that is wired.
    pub(crate) fn seen(&mut self, now_ms: u64, levels: &[Level]) -> Vec<Say> {
        let mut says = Vec::new();
        let first = self.first_input;
        let active = |levels: &[Level], input: Input| {
            let level = input.input.checked_sub(first).and_then(|place| levels.get(usize::from(place)));
            level.is_some_and(|level| (*level == Level::On) == (input.active == Active::On))
        };
        for (barrier, arm) in self.arms.iter_mut().filter(|(barrier, _)| barrier.up.or(barrier.down).is_some()) {
            let [up, down] = [barrier.up, barrier.down].map(|input| input.is_some_and(|input| active(levels, input)));
            let position = arm.seen(now_ms, Switches { up, down });
            let body = position.map(|position| json!({"position": position.word()}));
            says.extend(body.map(|body| say(&barrier.device, "state/barrier", body)));
        }
        let before = self.before.replace(levels.to_vec());
        let change = |input: Input| {
            let was = before.as_deref().map(|before| active(before, input));
            (was, active(levels, input))
        };
        for one in &self.loops {
            let (was, occupied) = change(one.into());
            if was == Some(occupied) {
                continue;
            }
            if was == Some(true) && one.passed == PassedWhen::WhenClear {
                says.push(say(&one.device, "event/passed", json!({"direction": "forward"})));
            }
            says.push(say(&one.device, "state/loop", json!({"occupied": occupied})));
        }
        for button in self.buttons.iter().filter(|button| change((*button).into()) == (Some(false), true)) {
            says.push(say(&button.device, "event/button", json!({"button": button.name})));
        }
        for alarm in self.alarms.iter().filter(|alarm| matches!(change((*alarm).into()), (None | Some(false), true))) {
            says.push(say(&alarm.device, "event/alarm", json!({"alarm": alarm.name})));
        }
        says
    }
}

fn say(device: &str, topic: &'static str, body: Value) -> Say {
    Say { device: device.to_owned(), topic, body }
}

#[cfg(test)]
mod tests {
    use super::Level::{Off, On};
    use super::*;

    /// Inputs 0 up, 1 down, 2 loop (off says yes), 3 button, 4 fire.
    fn lane() -> Lane {
        let config = json!({
            "line": {"kind": "tcp", "address": "127.0.0.1:502"},
            "outputs": {"count": 8},
            "barriers": [{"device": "gate", "open": {"coil": 0, "pulse": {"by": "board"}}, "up": {"input": 0},
                "down": {"input": 1}, "travel_ms": 1000}],
            "loops": [{"device": "gate", "input": 2, "active": "off", "passed": "when_clear"}],
            "buttons": [{"device": "gate", "input": 3, "name": "help"}],
            "alarms": [{"device": "gate", "input": 4, "name": "fire"}],
        });
        Lane::new(&serde_json::from_value(config).expect("a configuration"))
    }

    fn words(says: &[Say]) -> Vec<String> {
        let value = |body: &Value| body.as_object().and_then(|body| body.values().next()).map(ToString::to_string);
        says.iter()
            .map(|say| format!("{} {}", say.topic, value(&say.body).unwrap_or_default().replace('"', "")))
            .collect()
    }

    const REST: [Level; 5] = [Off, On, On, Off, Off];

    #[test]
    fn the_first_look_tells_every_state_and_no_event_of_the_past() {
        let says = lane().seen(0, &[Off, On, Off, On, Off]);
        assert_eq!(words(&says), ["state/barrier down", "state/loop true"]);
    }

    #[test]
    fn an_arm_leaves_one_end_moves_and_reaches_the_other() {
        let mut lane = lane();
        lane.seen(0, &REST);
        lane.moves(0, 10);
        assert_eq!(words(&lane.seen(20, &[Off, Off, On, Off, Off])), ["state/barrier moving"]);
        assert_eq!(words(&lane.seen(30, &[Off, Off, On, Off, Off])), Vec::<String>::new());
        assert_eq!(words(&lane.seen(900, &[On, Off, On, Off, Off])), ["state/barrier up"]);
        assert_eq!(lane.position(0), Position::Up);
    }

    #[test]
    fn an_arm_that_reaches_no_end_in_time_is_nowhere_and_so_is_one_at_both() {
        let mut lane = lane();
        lane.seen(0, &REST);
        lane.seen(20, &[Off, Off, On, Off, Off]);
        assert_eq!(words(&lane.seen(1_019, &[Off, Off, On, Off, Off])), Vec::<String>::new());
        assert_eq!(words(&lane.seen(1_020, &[Off, Off, On, Off, Off])), ["state/barrier unknown"]);
        lane.seen(1_030, &REST);
        assert_eq!(words(&lane.seen(1_040, &[On, On, On, Off, Off])), ["state/barrier unknown"]);
    }

    #[test]
    fn a_car_that_leaves_the_loop_has_passed() {
        let mut lane = lane();
        lane.seen(0, &REST);
        assert_eq!(words(&lane.seen(10, &[Off, On, Off, Off, Off])), ["state/loop true"]);
        assert_eq!(words(&lane.seen(20, &REST)), ["event/passed forward", "state/loop false"]);
    }

    #[test]
    fn a_button_is_an_event_when_pressed_and_an_alarm_also_when_it_is_found_on() {
        let mut lane = lane();
        assert_eq!(words(&lane.seen(0, &[Off, On, On, Off, On])).last().map(String::as_str), Some("event/alarm fire"));
        assert_eq!(words(&lane.seen(10, &[Off, On, On, On, On])), ["event/button help"]);
        assert_eq!(words(&lane.seen(20, &[Off, On, On, On, On])), Vec::<String>::new());
    }

    #[test]
    fn after_an_absence_all_is_told_anew_and_what_changed_meanwhile_is_no_event() {
        let mut lane = lane();
        lane.seen(0, &[Off, On, Off, Off, Off]);
        lane.forget();
        assert_eq!(lane.position(0), Position::Unknown);
        assert_eq!(words(&lane.seen(10, &[Off, On, On, On, Off])), ["state/barrier down", "state/loop false"]);
    }
}
