//! Devices: how they stand in their table.

use super::error::storage;
use super::rows::timestamp;
use super::schema::device;
use crate::domain::device::{Source, State};
use crate::domain::{Device, DeviceId, Timestamp};
use crate::storage::StorageError;
use diesel::prelude::*;

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = device, treat_none_as_default_value = false)]
struct Row {
    id: String,
    name: String,
    given_name: Option<String>,
    kind: Option<String>,
    host: Option<String>,
    addresses: String,
    port: Option<i64>,
    txt: String,
    source: String,
    state: String,
    first_seen: String,
    last_seen: Option<String>,
    ignored: bool,
    health_check: Option<String>,
}

pub fn put(conn: &mut SqliteConnection, device: &Device) -> Result<(), StorageError> {
    diesel::replace_into(device::table)
        .values(Row::of(device)?)
        .execute(conn)
        .map(drop)
        .map_err(storage)
}

pub fn remove(conn: &mut SqliteConnection, id: &DeviceId) -> Result<(), StorageError> {
    diesel::delete(device::table.find(id.as_str()))
        .execute(conn)
        .map(drop)
        .map_err(storage)
}

pub fn all(conn: &mut SqliteConnection) -> Result<Vec<Device>, StorageError> {
    let rows: Vec<Row> = device::table
        .select(Row::as_select())
        .order(device::id.asc())
        .load(conn)
        .map_err(storage)?;
    rows.into_iter().map(Row::device).collect()
}

fn unreadable<E>(_: E) -> StorageError {
    StorageError::Corrupt("a device cannot be read".into())
}

impl Row {
    fn of(device: &Device) -> Result<Self, StorageError> {
        let unwritable = |e: serde_json::Error| StorageError::Other(e.to_string());
        let check = device.check.as_ref().map(serde_json::to_string);
        Ok(Self {
            id: device.id.to_string(),
            name: device.name.clone(),
            given_name: device.given_name.clone(),
            kind: device.kind.clone(),
            host: device.host.clone(),
            addresses: serde_json::to_string(&device.addresses).map_err(unwritable)?,
            port: device.port.map(i64::from),
            txt: serde_json::to_string(&device.txt).map_err(unwritable)?,
            source: device.source.as_str().to_owned(),
            state: device.state.as_str().to_owned(),
            first_seen: device.first_seen.to_string(),
            last_seen: device.last_seen.map(|at| at.to_string()),
            ignored: device.ignored,
            health_check: check.transpose().map_err(unwritable)?,
        })
    }

    fn device(self) -> Result<Device, StorageError> {
        let time = |text: &String| -> Result<Timestamp, StorageError> { timestamp(text) };
        let check = self.health_check.as_deref().map(serde_json::from_str);
        Ok(Device {
            id: DeviceId::trusted(self.id),
            name: self.name,
            given_name: self.given_name,
            kind: self.kind,
            host: self.host,
            addresses: serde_json::from_str(&self.addresses).map_err(unreadable)?,
            port: self
                .port
                .map(u16::try_from)
                .transpose()
                .map_err(unreadable)?,
            txt: serde_json::from_str(&self.txt).map_err(unreadable)?,
            source: Source::parse(&self.source).ok_or_else(|| unreadable(()))?,
            state: State::parse(&self.state).ok_or_else(|| unreadable(()))?,
            first_seen: time(&self.first_seen)?,
            last_seen: self.last_seen.as_ref().map(time).transpose()?,
            ignored: self.ignored,
            check: check.transpose().map_err(unreadable)?,
        })
    }
}
