// The files that are written to a collection in one transaction.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "search/plan.hpp"
#include "search/store.hpp"
#include "search/update.hpp"

namespace moa::search {

// Takes candidates, finds out what each needs, embeds those that need it together, and writes all that has
// become of them at once. A content that the collection has a vector of is not embedded again, under whatever
// path it returns.
class Batch {
 public:
  // Everything must outlive the batch; `report` is added to.
  Batch(Writer& writer, const Target& target, const Plan& plan, const Embedder& embedder,
        UpdateReport& report);

  void add(const Candidate& candidate);
  bool is_full() const;
  // Embeds and writes what was added. If embedding fails as a whole, what was delivered before is written.
  void finish();
  // Forgets what is no longer there. The last transaction: until then a file that has moved finds its vector.
  void remove_absent();

 private:
  struct ByContent {
    std::size_t operator()(const ContentId& id) const {
      return std::hash<std::string_view>()({id.data(), id.size()});
    }
  };
  struct Waiting {
    std::string path;
    Examined examined;
    std::vector<Item> items;  // the file, and others with the same content
  };

  void know_rows(const Contents& contents);
  void wait_for_vector(const Candidate& candidate, Item item, Examined examined);
  void deliver(Waiting& file, std::vector<float> vector, const Error* error);
  void write();

  Writer& writer_;
  const Target& target_;
  const Plan& plan_;
  const Embedder& embedder_;
  UpdateReport& report_;

  std::unordered_map<ContentId, std::int64_t, ByContent> rows_;  // of every content that has a vector
  std::vector<Waiting> waiting_;
  std::unordered_map<ContentId, std::size_t, ByContent> waiting_by_content_;
  std::vector<float> values_;   // of the rows to be appended
  std::vector<Item> embedded_;  // `row` counts from the first row of `values_`
  Changes changes_;
  bool places_written_ = false;
};

}  // namespace moa::search
