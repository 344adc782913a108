#include "search/catalogue.hpp"

#include <algorithm>
#include <fstream>
#include <string_view>
#include <tuple>

#include <moa/error.hpp>

#include "search/vector_file.hpp"

namespace moa::search {
namespace {

// "moaC": tells `file` and us whose SQLite file this is.
constexpr std::int64_t kApplicationId = 0x6d6f6143;
constexpr std::int64_t kVersion = 1;
constexpr std::size_t kMaxIdentityBytes = 256;
constexpr std::size_t kGenerationBytes = 16;

struct Table {
  std::string_view name;
  std::string_view sql;  // SQLite keeps it word for word
};

constexpr Table kTables[] = {
    {"heading",
     "CREATE TABLE heading (only_row INTEGER PRIMARY KEY CHECK (only_row = 1), model_identity TEXT NOT NULL, "
     "model_name TEXT NOT NULL, dim INTEGER NOT NULL, generation BLOB NOT NULL, rows INTEGER NOT NULL) "
     "STRICT"},
    {"places",
     "CREATE TABLE places (id INTEGER PRIMARY KEY, canonical BLOB NOT NULL, spelling BLOB NOT NULL) STRICT"},
    {"items",
     "CREATE TABLE items (place INTEGER NOT NULL, inside BLOB NOT NULL, size_bytes INTEGER NOT NULL, "
     "mtime_ns INTEGER NOT NULL, ctime_ns INTEGER NOT NULL, hash TEXT, row INTEGER, error_code TEXT, "
     "error_message TEXT, PRIMARY KEY (place, inside)) STRICT, WITHOUT ROWID"},
};

std::int64_t pragma(const Database& database, std::string_view name) {
  Statement statement = database.prepare("PRAGMA " + std::string(name));
  return statement.step() ? statement.integer(0) : 0;
}

// https://www.sqlite.org/fileformat.html, section 1.3: the application id is a big-endian number at
// offset 68.
bool begins_as_catalogue(const std::string& file) {
  std::array<char, 100> header{};
  std::ifstream(file, std::ios::binary).read(header.data(), header.size());
  const std::string_view text(header.data(), header.size());
  constexpr std::string_view kMagic("SQLite format 3\0", 16);
  return text.starts_with(kMagic) && text.substr(68, 4) == "moaC";
}

}  // namespace

void Catalogue::corrupt(const std::string& found) const {
  throw Error(ErrorCode::corrupt_data, "cannot read the index '" + database_.file() + "': " + found);
}

bool Catalogue::is_catalogue() const {
  try {
    return pragma(database_, "application_id") == kApplicationId;
  } catch (const Error& error) {
    // Only of a damaged file are the bytes themselves asked: closing a second descriptor of a database drops
    // the locks that this process holds on it.
    if (error.code() != ErrorCode::corrupt_data) throw;
    return begins_as_catalogue(database_.file());
  }
}

bool Catalogue::is_blank() const {
  return pragma(database_, "schema_version") == 0 && pragma(database_, "application_id") == 0;
}

void Catalogue::check_format() const {
  if (!is_catalogue()) corrupt("the file is not an index of moa");
  if (const std::int64_t version = pragma(database_, "user_version"); version != kVersion) {
    throw Error(ErrorCode::unsupported, "cannot read the index '" + database_.file() +
                                            "': its format is version " + std::to_string(version) +
                                            ", expected " + std::to_string(kVersion));
  }
  // Only tables that are exactly ours: generated columns and their like would compute whatever a forger
  // wants.
  Statement statement = database_.prepare("SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL");
  std::size_t found = 0;
  while (statement.step()) {
    const auto same = [&](const Table& table) {
      return table.name == statement.text(0) && table.sql == statement.text(1);
    };
    if (std::ranges::none_of(kTables, same)) corrupt("it has a table that moa does not write");
    ++found;
  }
  if (found != std::size(kTables)) corrupt("it lacks a table");
}

Contents Catalogue::load() const {
  check_format();
  Contents contents;
  contents.heading = load_heading();
  contents.places = load_places();
  contents.items = load_items(contents.heading);
  const auto known = [&](const Item& item) {
    return std::ranges::binary_search(contents.places, item.place, {}, &Place::id);
  };
  if (!std::ranges::all_of(contents.items, known)) corrupt("a file belongs to no place");
  return contents;
}

Heading Catalogue::load_heading() const {
  Statement statement =
      database_.prepare("SELECT model_identity, model_name, dim, generation, rows FROM heading");
  if (!statement.step()) corrupt("it has no heading");
  Heading heading;
  heading.model_identity = statement.text(0);
  heading.model_name = statement.text(1);
  heading.dim = statement.integer(2);
  heading.generation = statement.blob(3);
  heading.rows = statement.integer(4);
  if (heading.dim < 1 || heading.dim > kMostVectorDim)
    corrupt("its vectors have " + std::to_string(heading.dim) + " dimensions");
  if (heading.model_identity.size() > kMaxIdentityBytes || heading.generation.size() != kGenerationBytes ||
      heading.rows < 0) {
    corrupt("its heading is damaged");
  }
  return heading;
}

std::vector<Place> Catalogue::load_places() const {
  std::vector<Place> places;
  Statement statement = database_.prepare("SELECT id, canonical, spelling FROM places ORDER BY id");
  while (statement.step()) {
    places.push_back({statement.integer(0), std::string(statement.blob(1)), std::string(statement.blob(2))});
  }
  return places;
}

std::vector<Item> Catalogue::load_items(const Heading& heading) const {
  std::vector<Item> items;
  Statement statement = database_.prepare(
      "SELECT place, inside, size_bytes, mtime_ns, ctime_ns, hash, row, error_code, error_message "
      "FROM items ORDER BY place, inside");
  while (statement.step()) {
    Item& item = items.emplace_back();
    item.place = statement.integer(0);
    item.inside = statement.blob(1);
    item.stamp = {static_cast<std::uint64_t>(statement.integer(2)), statement.integer(3),
                  statement.integer(4)};
    if (!statement.is_null(5)) {
      const std::string_view hash = statement.text(5);
      if (hash.size() != std::tuple_size_v<ContentId>) corrupt("a content hash is damaged");
      std::ranges::copy(hash, item.hash.emplace().begin());
    }
    if (!statement.is_null(6)) {
      item.row = statement.integer(6);
      if (item.row < 0 || item.row >= heading.rows) {
        corrupt("a file names row " + std::to_string(item.row) + " of " + std::to_string(heading.rows));
      }
    }
    if (!statement.is_null(7)) {
      item.failure =
          std::make_shared<Failure>(Failure{std::string(statement.text(7)), std::string(statement.text(8))});
    }
    // A damaged tree may hand out keys in another order or twice; what compares lists relies on the order.
    if (items.size() > 1) {
      const Item& before = items[items.size() - 2];
      if (std::tie(before.place, before.inside) >= std::tie(item.place, item.inside)) {
        corrupt("its files are out of order");
      }
    }
  }
  return items;
}

void Catalogue::create() {
  for (const Table& table : kTables) {
    database_.run("DROP TABLE IF EXISTS " + std::string(table.name));
    database_.run(table.sql);
  }
  database_.run("PRAGMA application_id = " + std::to_string(kApplicationId));
  database_.run("PRAGMA user_version = " + std::to_string(kVersion));
}

void Catalogue::set_heading(const Heading& heading) {
  database_
      .prepare(
          "INSERT OR REPLACE INTO heading (only_row, model_identity, model_name, dim, generation, rows) "
          "VALUES (1, ?, ?, ?, ?, ?)")
      .bind_text(1, heading.model_identity)
      .bind_text(2, heading.model_name)
      .bind(3, heading.dim)
      .bind_blob(4, heading.generation)
      .bind(5, heading.rows)
      .run();
}

void Catalogue::set_places(std::span<const Place> places) {
  database_.run("DELETE FROM places");
  Statement statement = database_.prepare("INSERT INTO places (id, canonical, spelling) VALUES (?, ?, ?)");
  for (const Place& place : places) {
    statement.bind(1, place.id).bind_blob(2, place.canonical).bind_blob(3, place.spelling).run();
  }
}

void Catalogue::put(std::span<const Item> items) {
  Statement statement = database_.prepare(
      "INSERT OR REPLACE INTO items (place, inside, size_bytes, mtime_ns, ctime_ns, hash, row, error_code, "
      "error_message) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)");
  for (const Item& item : items) {
    statement.bind(1, item.place).bind_blob(2, item.inside);
    statement.bind(3, static_cast<std::int64_t>(item.stamp.size_bytes));
    statement.bind(4, item.stamp.mtime_ns).bind(5, item.stamp.ctime_ns);
    item.hash ? statement.bind_text(6, {item.hash->data(), item.hash->size()}) : statement.bind_null(6);
    item.has_vector() ? statement.bind(7, item.row) : statement.bind_null(7);
    item.failure ? statement.bind_text(8, item.failure->code) : statement.bind_null(8);
    item.failure ? statement.bind_text(9, item.failure->message) : statement.bind_null(9);
    statement.run();
  }
}

void Catalogue::remove(std::span<const Item> items) {
  Statement statement = database_.prepare("DELETE FROM items WHERE place = ? AND inside = ?");
  for (const Item& item : items) statement.bind(1, item.place).bind_blob(2, item.inside).run();
}

}  // namespace moa::search
