// What can be told of a collection without its model.
#include <sys/stat.h>

#include <algorithm>
#include <cmath>

#include <moa/collection.hpp>

#include "search/opened.hpp"
#include "search/places.hpp"
#include "search/store.hpp"

namespace moa {
namespace {

// A stored vector is on the unit sphere up to the rounding of its components.
constexpr double kUnitTolerance = 1e-3;
// A damaged file may have any number of problems; the first tell enough.
constexpr std::size_t kMaxProblems = 20;

search::Contents load_catalogue(const std::filesystem::path& file, std::vector<std::string>* problems) {
  Database database = Database::open(file, Database::Access::read);
  Transaction transaction(database, Transaction::Kind::read);
  search::Contents contents = search::Catalogue(database).load();
  if (problems == nullptr) return contents;
  Statement check = database.prepare("PRAGMA quick_check(20)");
  while (check.step()) {
    if (check.text(0) != "ok") problems->emplace_back(check.text(0));
  }
  return contents;
}

void check_vectors(const search::Contents& contents, const search::VectorRows& vectors,
                   std::vector<std::string>& problems) {
  for (const search::Item& item : contents.items) {
    if (problems.size() >= kMaxProblems) return;
    if (!item.has_vector()) continue;
    double square = 0;
    for (const float value : vectors.row(item.row)) square += static_cast<double>(value) * value;
    if (std::abs(std::sqrt(square) - 1) <= kUnitTolerance) continue;
    problems.push_back("the vector of '" + item.inside + "', row " + std::to_string(item.row) +
                       ", is not of unit length");
  }
}

}  // namespace

CollectionInfo Collection::inspect(const std::filesystem::path& file) {
  CollectionInfo info;
  info.path = file.string();
  const search::Contents contents = load_catalogue(file, &info.problems);
  info.model_identity = contents.heading.model_identity;
  info.model_name = contents.heading.model_name;
  info.dim = contents.heading.dim;
  info.rows = static_cast<std::size_t>(contents.heading.rows);
  for (const search::Item& item : contents.items) {
    ++(item.has_vector() ? info.items : item.failure ? info.failed : info.skipped);
  }
  for (const search::Place& place : contents.places) info.places.push_back(search::spelling_of(place));
  try {
    // Loaded anew, both together: what is compared must be of one moment.
    const std::optional<search::Snapshot> snapshot = search::Snapshot::load(search::StoreFiles(file));
    if (snapshot) check_vectors(snapshot->contents, snapshot->vectors, info.problems);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::corrupt_data) throw;
    info.problems.emplace_back(error.what());
  }
  return info;
}

std::vector<FailedFile> Collection::errors(const std::filesystem::path& file) {
  const search::Contents contents = load_catalogue(file, nullptr);
  std::vector<FailedFile> failed;
  for (const search::Item& item : contents.items) {
    if (!item.failure) continue;
    const auto place = std::ranges::find(contents.places, item.place, &search::Place::id);
    failed.push_back(
        {search::join(search::spelling_of(*place), item.inside), item.failure->code, item.failure->message});
  }
  return failed;
}

bool Collection::is_collection(const std::filesystem::path& file) {
  // Asked of SQLite, not of the bytes: closing a second descriptor of a database would drop the locks that
  // this process holds on it.
  try {
    Database database = Database::open(file, Database::Access::read);
    return search::Catalogue(database).is_catalogue();
  } catch (const Error&) {
    return false;
  }
}

}  // namespace moa
