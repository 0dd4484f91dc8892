//! What stands in the tables.

use chrono::DateTime;
use serde_json::Value;

use crate::player::{Player, now};
use crate::trace::{self, Row, Tables};

impl Player<'_> {
    /// The rows there are, times told from now.
    pub(crate) async fn tables(&self) -> Tables {
        let now = now();
        let mut sessions = Vec::new();
        let ids = self.ids().await;
        for row in self.rows().await {
            let row: Value = serde_json::from_str(&row).unwrap();
            let moment = |value: &Value| {
                let moment =
                    value.as_f64().map(|at| DateTime::from_timestamp_millis(at as i64).unwrap());
                moment.map_or("never".to_owned(), |moment| trace::since(now, moment))
            };
            sessions.push(Row {
                owner: self.owner(row[0].as_str().unwrap()),
                data: row[1]
                    .as_str()
                    .map_or("NULL".to_owned(), |text| trace::named(&trace::data(text, now), &ids)),
                expires: moment(&row[2]),
                created: moment(&row[3]),
                updated: moment(&row[4]),
            });
        }
        sessions.sort();
        let (users, [email, password]) = (self.chapter.users_table(), self.chapter.users_columns());
        let order = if self.chapter.has_uuids() { email } else { "id" };
        // Shown are the address and what kind of hash there is, its cost included.
        let query = format!(
            r#"SELECT "{email}" || ' ' || left("{password}", 7) FROM "{users}" ORDER BY "{order}""#
        );
        Tables { sessions, users: self.database.texts(&query).await }
    }

    /// The id and the address of every account.
    async fn ids(&self) -> Vec<(String, String)> {
        let (users, [email, _]) = (self.chapter.users_table(), self.chapter.users_columns());
        let query = format!(r#"SELECT id || ' ' || "{email}" FROM "{users}""#);
        let all = self.database.texts(&query).await;
        let pairs = all.iter().filter_map(|pair| pair.split_once(' '));
        pairs.map(|(id, email)| (id.to_owned(), email.to_owned())).collect()
    }

    /// Every row of the sessions, a JSON array each: sid, data, and the times in milliseconds.
    pub(crate) async fn rows(&self) -> Vec<String> {
        let table = self.chapter.sessions_table();
        let times = ["expires", "createdAt", "updatedAt"]
            .map(|column| format!(r#"floor(extract(epoch FROM "{column}") * 1000)"#));
        let columns = times.join(", ");
        let [data, _] = self.chapter.data_column();
        let query = format!(
            r#"SELECT json_build_array(trim(sid), {data}, {columns})::text FROM "{table}" ORDER BY "createdAt""#
        );
        self.database.texts(&query).await
    }

    fn owner(&self, sid: &str) -> String {
        for (name, visitor) in &self.visitors {
            if visitor.current() == Some(sid) {
                return name.clone();
            }
            if visitor.ids.iter().any(|id| id == sid) {
                return format!("{name} before");
            }
        }
        "nobody".to_owned()
    }
}
