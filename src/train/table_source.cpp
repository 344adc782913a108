#include "train/table_source.hpp"

#include <algorithm>
#include <numeric>
#include <unordered_map>

#include "train/random.hpp"

namespace moa::train {
namespace {

class TableStream : public PairStream {
 public:
  TableStream(const TableSource& source, std::uint64_t pictures, Random random) : source_(source) {
    order_.resize(pictures);
    std::iota(order_.begin(), order_.end(), std::uint64_t{0});
    for (std::uint64_t i = pictures; i > 1; --i) std::swap(order_[i - 1], order_[random.below(i)]);
  }

  std::optional<RawPair> next() override {
    if (at_ == order_.size()) return std::nullopt;
    return source_.pair(order_[at_++]);
  }
  void skip(std::uint64_t count) override { at_ = std::min<std::uint64_t>(order_.size(), at_ + count); }

 private:
  const TableSource& source_;
  std::vector<std::uint64_t> order_;
  std::uint64_t at_ = 0;
};

}  // namespace

TableSource::TableSource(const std::filesystem::path& path, const TableOptions& options)
    : table_(Table::open(path, options.separator)),
      columns_(table_, path, options, PairColumns::Second::captions) {
  std::unordered_map<std::string, std::uint64_t> pictures;
  std::vector<std::uint64_t> picture_of(table_.size());
  for (std::size_t i = 0; i < table_.size(); ++i) {
    picture_of[i] = pictures.try_emplace(columns_.image(i), pictures.size()).first->second;
  }
  firsts_.assign(pictures.size() + 1, 0);
  for (const std::uint64_t picture : picture_of) ++firsts_[picture + 1];
  std::partial_sum(firsts_.begin(), firsts_.end(), firsts_.begin());
  records_.resize(picture_of.size());
  std::vector<std::uint64_t> ends(firsts_.begin(), firsts_.end() - 1);
  for (std::size_t i = 0; i < picture_of.size(); ++i) records_[ends[picture_of[i]]++] = i;
}

std::unique_ptr<PairStream> TableSource::epoch(std::uint64_t seed, std::uint64_t epoch) const {
  return std::make_unique<TableStream>(*this, *size(), Random({seed, epoch}));
}

RawPair TableSource::pair(std::uint64_t index) const {
  RawPair pair;
  pair.group = index;
  pair.path = columns_.image(records_[firsts_[index]]);
  pair.name = pair.path;
  for (std::uint64_t i = firsts_[index]; i < firsts_[index + 1]; ++i) {
    for (std::string& caption : columns_.captions(records_[i])) pair.captions.push_back(std::move(caption));
  }
  return pair;
}

}  // namespace moa::train
