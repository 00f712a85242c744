//! A function on a bus: configuration space with its effects on address spaces and interrupts.

use crate::lock::{Mutex, MutexGuard, Rank};
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use super::bar::Bar;
use super::config::register as reg;
use super::{Address, BarKind, BarSpec, ConfigSpace, Function, PciBus};
use crate::error::{Error, Result};
use crate::memory::{Access, Action, AddressSpace, Edit, Mapping, Target};
use crate::object::{Bus, PlugContext};

/// Base addresses lie below everything the board maps, as the PCI hole does below RAM and the
/// interrupt controllers.
const MEMORY_PRIORITY: i32 = -1;
/// Port windows lie above the fixed ports of the board.
const PORT_PRIORITY: i32 = 1;

/// What a device's own configuration registers do.
pub trait Effects: Send + Sync {
    /// Registers in `touched` were written (all of them after a reset). Returns the changes of
    /// address spaces that follow. Called with the function's registers locked; may take a lock of
    /// its own and drive interrupt lines, nothing else.
    fn written(&self, config: &mut ConfigSpace, touched: Range<usize>) -> Vec<Edit>;
}

/// A function of a device on a PCI bus.
pub struct Endpoint {
    class: &'static str,
    id: String,
    bus: Arc<PciBus>,
    devfn: OnceLock<u8>,
    memory: Arc<AddressSpace>,
    ports: Arc<AddressSpace>,
    effects: Option<Arc<dyn Effects>>,
    state: Mutex<State>,
}

struct State {
    config: ConfigSpace,
    /// As after a reset.
    fresh: ConfigSpace,
    bars: Vec<Bar>,
    /// The device wants its interrupt.
    asserted: bool,
    /// The pin is high.
    driven: bool,
}

impl Endpoint {
    /// A function of class `class` with these registers, not on the bus yet.
    ///
    /// # Errors
    /// The object is not plugged into a PCI bus.
    pub fn new(
        context: &PlugContext<'_>,
        class: &'static str,
        config: ConfigSpace,
        effects: Option<Arc<dyn Effects>>,
    ) -> Result<Arc<Self>> {
        let Some(Bus::Pci(bus)) = context.bus() else {
            return Err(Error::message(format!("'{class}' needs a PCI bus")));
        };
        let id = context.path.strip_prefix("/machine/peripheral/").unwrap_or_default();
        let fresh = config.clone();
        Ok(Arc::new(Self {
            class,
            id: id.into(),
            bus: bus.clone(),
            devfn: OnceLock::new(),
            memory: context.platform.memory.clone(),
            ports: context.platform.ports.clone(),
            effects,
            state: Mutex::new(
                Rank::Device,
                State { config, fresh, bars: Vec::new(), asserted: false, driven: false },
            ),
        }))
    }

    /// Adds a base address register for a window, called `name`, into `target`.
    ///
    /// # Errors
    /// As [`PlugContext::add_mapping`].
    ///
    /// # Panics
    /// The device's author asks for a register that does not exist or is taken, or for a size that
    /// no register can express.
    pub fn add_bar(
        &self,
        context: &mut PlugContext<'_>,
        spec: BarSpec,
        name: &str,
        target: Target,
    ) -> Result<()> {
        let wide = spec.kind == BarKind::Memory64;
        let smallest = if spec.kind == BarKind::Io { 4 } else { 16 };
        assert!(spec.index + u8::from(wide) < 6 && spec.size.is_power_of_two());
        assert!(spec.size >= smallest && (wide || spec.size <= 1 << 31));
        let (space, priority) = match spec.kind {
            BarKind::Io => (&self.ports, PORT_PRIORITY),
            _ => (&self.memory, MEMORY_PRIORITY),
        };
        let (name, size) = (name.into(), spec.size);
        let access = Access::ReadWrite;
        let window = Mapping { name, base: None, size, offset: 0, priority, access, target };
        let window = context.add_mapping(space, window)?;
        let (value, mask) = Bar::layout(spec);
        let bytes = if wide { 8 } else { 4 };
        let mut state = self.lock();
        let register = Bar::register(spec.index);
        state.fresh = (state.fresh.clone())
            .preset(register, &value.to_le_bytes()[..bytes])
            .writable(register, &mask.to_le_bytes()[..bytes]);
        state.config = state.fresh.clone();
        state.bars.push(Bar::new(spec, window));
        Ok(())
    }

    /// Puts the function on its bus, where `address` says, which then says where it is.
    ///
    /// # Errors
    /// As [`PciBus::plug`].
    pub fn plug(
        self: &Arc<Self>,
        context: &mut PlugContext<'_>,
        address: &mut Address,
        multifunction: bool,
    ) -> Result<()> {
        if multifunction {
            let mut state = self.lock();
            state.fresh.set_u8(reg::HEADER_TYPE, reg::MULTIFUNCTION);
            state.config = state.fresh.clone();
        }
        let devfn = context.plug_pci(address.0, self.clone())?;
        *address = Address(Some(devfn));
        let _ = self.devfn.set(devfn);
        Ok(())
    }

    /// Device times 8 plus function, once it is plugged.
    pub fn devfn(&self) -> Option<u8> {
        self.devfn.get().copied()
    }

    /// The bus it is on.
    pub fn bus(&self) -> &Arc<PciBus> {
        &self.bus
    }

    /// Guest physical memory.
    pub fn memory(&self) -> &Arc<AddressSpace> {
        &self.memory
    }

    /// Asserts the interrupt pin, or lets it go.
    pub fn set_intx(&self, asserted: bool) {
        let mut state = self.lock();
        state.asserted = asserted;
        self.follow_intx(&mut state);
    }

    /// Writes `bytes` to registers as firmware would, and has the effects in force on return. For
    /// the control thread.
    pub fn program(&self, offset: u8, bytes: &[u8]) {
        let registers = (usize::from(offset)..256).zip(bytes);
        let edits: Vec<Edit> =
            registers.flat_map(|(at, byte)| self.write(at as u8, 1, (*byte).into())).collect();
        self.apply(&edits);
    }

    /// Makes the device's own registers take effect anew, because what they act on has changed.
    pub fn refresh(&self) {
        let edits = self.settle(&mut self.lock(), 0..256);
        self.apply(&edits);
    }

    /// Returns to the registers after power-on: windows vanish, the pin goes low.
    pub fn reset(&self) {
        let mut state = self.lock();
        state.config = state.fresh.clone();
        state.asserted = false;
        let edits = self.settle(&mut state, 0..256);
        drop(state);
        self.apply(&edits);
    }

    fn write(&self, offset: u8, size: usize, value: u32) -> Vec<Edit> {
        let mut state = self.lock();
        let touched = state.config.write(offset, size, value);
        self.settle(&mut state, touched)
    }

    /// Makes everything follow the registers.
    fn settle(&self, state: &mut State, touched: Range<usize>) -> Vec<Edit> {
        let State { config, bars, .. } = state;
        let mut edits: Vec<Edit> = bars.iter_mut().filter_map(|bar| bar.follow(config)).collect();
        if let Some(effects) = &self.effects {
            edits.extend(effects.written(config, touched));
        }
        self.follow_intx(state);
        edits
    }

    fn follow_intx(&self, state: &mut State) {
        let status = state.config.u16(reg::STATUS) & !reg::STATUS_INTERRUPT;
        let pending = if state.asserted { reg::STATUS_INTERRUPT } else { 0 };
        state.config.set_u16(reg::STATUS, status | pending);
        let disabled = state.config.u16(reg::COMMAND) & reg::COMMAND_INTX_DISABLE != 0;
        let high = state.asserted && !disabled;
        if std::mem::replace(&mut state.driven, high) != high {
            self.drive_intx(state, high);
        }
    }

    fn drive_intx(&self, state: &State, high: bool) {
        let pin = state.config.u8(reg::INTERRUPT_PIN);
        if let (Some(devfn), 1..=4) = (self.devfn(), pin) {
            self.bus.drive_intx(devfn, pin - 1, high);
        }
    }

    fn apply(&self, edits: &[Edit]) {
        if !edits.is_empty() {
            self.memory.edit(edits);
            self.ports.edit(edits);
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }
}

impl Function for Endpoint {
    fn read_config(&self, offset: u8, size: usize) -> u32 {
        self.lock().config.read(offset, size)
    }

    fn write_config(&self, offset: u8, size: usize, value: u32) -> Action {
        let edits = self.write(offset, size, value);
        if edits.is_empty() { Action::None } else { Action::Layout(edits) }
    }

    fn class(&self) -> &str {
        self.class
    }

    fn id(&self) -> &str {
        &self.id
    }

    fn bars(&self) -> Vec<(BarSpec, Option<u64>)> {
        let state = self.lock();
        let place = |bar: &Bar| (bar.spec, Bar::decode(bar.spec, &state.config));
        state.bars.iter().map(place).collect()
    }
}

impl Drop for Endpoint {
    fn drop(&mut self) {
        let state = self.lock();
        if state.driven {
            self.drive_intx(&state, false);
        }
    }
}
