// search: the collection on disk (a catalogue in SQLite and a file of vectors beside it), kept up to date and
// searched. It knows models only as something that turns paths into vectors. This header: the catalogue:
// which files a collection holds, what they were when they were read, and which row of the vector file is
// whose. Tables in one SQLite file; docs/decisions/0002-index-format.md describes them.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/walk.hpp"
#include "storage/sqlite.hpp"

namespace moa::search {

// Hex digits of a content's XXH3-128.
using ContentId = std::array<char, 32>;

// What all the vectors of a collection have in common.
struct Heading {
  std::string model_identity;
  std::string model_name;
  std::int64_t dim = 0;
  std::string generation;  // names the vector file that belongs to the catalogue; 16 bytes
  std::int64_t rows = 0;  // rows of the vector file that were ever committed; the next is written behind them
};

// A folder or a file that a collection holds.
struct Place {
  std::int64_t id = 0;
  std::string canonical;  // absolute, without links
  std::string spelling;   // as it was written when it was first indexed
};

struct Failure {
  std::string code;  // of moa::Error, by name
  std::string message;
};

// One file of a place: with a vector, or with the error that it met, or (neither) of no kind that is
// embedded.
struct Item {
  std::int64_t place = 0;
  std::string inside;             // path inside the place; empty if the place is the file
  FileStamp stamp;                // ctime_ns 0: may have changed while it was read, look again
  std::optional<ContentId> hash;  // of what was embedded, if it is certain
  std::int64_t row = -1;          // -1: no vector
  std::shared_ptr<const Failure> failure;

  bool has_vector() const { return row >= 0; }
};

struct Contents {
  Heading heading;
  std::vector<Place> places;  // in the order of their ids
  std::vector<Item> items;    // in the order of (place, inside)
};

// A catalogue in an open database. Whoever calls it is inside a transaction. Errors of every function:
// corrupt_data, io_error.
class Catalogue {
 public:
  explicit Catalogue(Database& database) : database_(database) {}

  // Whether the database is a catalogue, sound or damaged: by the application id in its first page, which is
  // looked for in the file itself if SQLite cannot make sense of it.
  bool is_catalogue() const;
  // Whether nothing was ever written to it.
  bool is_blank() const;
  // Everything, checked: types, order, rows within what was committed. Errors: corrupt_data also if the
  // database is not a catalogue; unsupported if a later version of moa made it.
  Contents load() const;

  // Makes an empty catalogue, whatever of ours was there.
  void create();
  void set_heading(const Heading& heading);
  void set_places(std::span<const Place> places);
  void put(std::span<const Item> items);
  void remove(std::span<const Item> items);

 private:
  [[noreturn]] void corrupt(const std::string& found) const;
  void check_format() const;
  Heading load_heading() const;
  std::vector<Place> load_places() const;
  std::vector<Item> load_items(const Heading& heading) const;

  Database& database_;
};

}  // namespace moa::search
