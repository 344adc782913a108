#include "tensor/parameter.hpp"

#include <algorithm>
#include <utility>

#include <moa/error.hpp>

#include "tensor/factored.hpp"

namespace moa {

struct Parameter::Data {
  std::string name;
  Shape shape;
  DType dtype = DType::f32;
  std::shared_ptr<const ParameterSource> source;
  std::vector<Parameter> parts{};
  std::shared_ptr<const ParameterView> view{};
};

namespace {

class ValuesSource final : public ParameterSource {
 public:
  explicit ValuesSource(std::vector<float> values) : values_(std::move(values)) {}
  void read(std::int64_t first, std::int64_t count, float* out) const override {
    std::copy_n(values_.data() + first, count, out);
  }
  const float* in_place(std::int64_t first, std::int64_t) const override { return values_.data() + first; }

 private:
  std::vector<float> values_;
};

// Elements [begin, …) of another source.
class OffsetSource final : public ParameterSource {
 public:
  OffsetSource(std::shared_ptr<const ParameterSource> base, std::int64_t begin)
      : base_(std::move(base)), begin_(begin) {}
  void read(std::int64_t first, std::int64_t count, float* out) const override {
    base_->read(begin_ + first, count, out);
  }
  const float* in_place(std::int64_t first, std::int64_t count) const override {
    return base_->in_place(begin_ + first, count);
  }
  bool read_bf16(std::int64_t first, std::int64_t count, std::uint16_t* out) const override {
    return base_->read_bf16(begin_ + first, count, out);
  }
  bool read_int8(std::int64_t first, std::int64_t count, std::int64_t width, std::int8_t* out,
                 float* scales) const override {
    return base_->read_int8(begin_ + first, count, width, out, scales);
  }

 private:
  std::shared_ptr<const ParameterSource> base_;
  std::int64_t begin_;
};

// Several parameters end to end.
class StackedSource final : public ParameterSource {
 public:
  explicit StackedSource(std::vector<Parameter> parts) : parts_(std::move(parts)) {}
  void read(std::int64_t first, std::int64_t count, float* out) const override {
    in_parts(first, count, [&](const Parameter& part, std::int64_t row, std::int64_t rows, std::int64_t at) {
      part.read_rows(row, rows, out + at);
      return true;
    });
  }
  bool read_bf16(std::int64_t first, std::int64_t count, std::uint16_t* out) const override {
    return in_parts(first, count,
                    [&](const Parameter& part, std::int64_t row, std::int64_t rows, std::int64_t at) {
                      return part.read_rows_bf16(row, rows, out + at);
                    });
  }
  bool read_int8(std::int64_t first, std::int64_t count, std::int64_t width, std::int8_t* out,
                 float* scales) const override {
    return in_parts(first, count,
                    [&](const Parameter& part, std::int64_t row, std::int64_t rows, std::int64_t at) {
                      return part.read_rows_int8(row, rows, out + at, scales + at / width);
                    });
  }
  const float* in_place(std::int64_t first, std::int64_t count) const override {
    std::int64_t start = 0;
    for (const Parameter& part : parts_) {
      const std::int64_t width = part.shape().elements_per_row();
      const std::int64_t size = part.shape().elements();
      if (first >= start && first + count <= start + size) {
        return part.rows_in_place((first - start) / width, count / width);
      }
      start += size;
    }
    return nullptr;  // the elements lie in several parts
  }
  void drop_pages() const override {
    for (const Parameter& part : parts_) part.drop_pages();
  }

 private:
  // Calls piece(part, its row, its number of rows, where they are in the elements asked for) for every part
  // that elements [first, first + count) lie in, until one says false. Callers ask for whole rows, so both
  // ends fall on rows of the part.
  template <typename Piece>
  bool in_parts(std::int64_t first, std::int64_t count, Piece piece) const {
    std::int64_t start = 0;
    for (const Parameter& part : parts_) {
      const std::int64_t width = part.shape().elements_per_row();
      const std::int64_t size = part.shape().elements();
      const std::int64_t from = std::max(first, start);
      const std::int64_t to = std::min(first + count, start + size);
      if (from < to && !piece(part, (from - start) / width, (to - from) / width, from - first)) return false;
      start += size;
    }
    return true;
  }

  std::vector<Parameter> parts_;
};

std::vector<Parameter> factors_behind(const ParameterSource* source) {
  const auto* product = dynamic_cast<const ProductSource*>(source);
  return product == nullptr ? std::vector<Parameter>{} : product->factors();
}

}  // namespace

std::string_view name(DType dtype) noexcept {
  switch (dtype) {
    case DType::f32:
      return "f32";
    case DType::f16:
      return "f16";
    case DType::bf16:
      return "bf16";
    case DType::f64:
      return "f64";
    case DType::i64:
      return "i64";
    case DType::i32:
      return "i32";
    case DType::u8:
      return "u8";
    case DType::q4:
      return "q4";
    case DType::i8:
      return "i8";
  }
  return "unknown";
}

const float* ParameterSource::in_place(std::int64_t, std::int64_t) const {
  return nullptr;
}

bool ParameterSource::read_bf16(std::int64_t, std::int64_t, std::uint16_t*) const {
  return false;
}
bool ParameterSource::read_int8(std::int64_t, std::int64_t, std::int64_t, std::int8_t*, float*) const {
  return false;
}

Parameter::Parameter(std::string name, Shape shape, DType dtype,
                     std::shared_ptr<const ParameterSource> source) {
  auto data = std::make_shared<Data>(Data{std::move(name), std::move(shape), dtype, std::move(source)});
  data->parts = factors_behind(data->source.get());
  data_ = std::move(data);
}

Parameter Parameter::from_values(std::string name, Shape shape, std::vector<float> values) {
  if (shape.elements() != static_cast<std::int64_t>(values.size())) {
    throw Error(ErrorCode::shape_mismatch, "'" + name + "': found " + std::to_string(values.size()) +
                                               " values, expected " + to_string(shape));
  }
  return {std::move(name), std::move(shape), DType::f32, std::make_shared<ValuesSource>(std::move(values))};
}

Parameter Parameter::stacked(std::vector<Parameter> parts) {
  std::string name;
  std::int64_t rows = 0;
  for (const Parameter& part : parts) {
    if (part.shape().rank() != parts.front().shape().rank() ||
        part.shape().elements_per_row() != parts.front().shape().elements_per_row()) {
      throw Error(ErrorCode::shape_mismatch, "cannot stack '" + part.name() + "' " + to_string(part.shape()) +
                                                 " below '" + parts.front().name() + "' " +
                                                 to_string(parts.front().shape()));
    }
    name += (name.empty() ? "" : "+") + part.name();
    rows += part.shape()[0];
  }
  const Shape& first = parts.front().shape();
  std::vector<std::int64_t> extents{rows};
  for (std::size_t axis = 1; axis < first.rank(); ++axis) extents.push_back(first[axis]);
  const DType dtype = parts.front().dtype();
  auto source = std::make_shared<StackedSource>(parts);
  return Parameter(std::make_shared<Data>(
      Data{std::move(name), Shape(std::move(extents)), dtype, std::move(source), std::move(parts)}));
}

const std::string& Parameter::name() const {
  return data_->name;
}
const Shape& Parameter::shape() const {
  return data_->shape;
}
DType Parameter::dtype() const {
  return data_->dtype;
}
bool Parameter::has_parts() const noexcept {
  return !data_->parts.empty();
}

std::vector<Parameter> Parameter::parts() const {
  return data_->parts.empty() ? std::vector<Parameter>{*this} : data_->parts;
}

const ParameterView* Parameter::view() const noexcept {
  return data_->view.get();
}

Parameter Parameter::seen_as(ParameterView view) const {
  auto data = std::make_shared<Data>(*data_);
  data->parts.clear();
  data->view = std::make_shared<const ParameterView>(std::move(view));
  return Parameter(std::move(data));
}

Parameter Parameter::computed(std::string name, Shape shape, std::shared_ptr<const ParameterSource> source,
                              ParameterView view) {
  return Parameter(std::move(name), std::move(shape), DType::f32, std::move(source)).seen_as(std::move(view));
}

namespace {

void add_origins(const Parameter& parameter, std::vector<Parameter>& origins) {
  if (!parameter) return;
  if (const ParameterView* view = parameter.view(); view != nullptr) {
    add_origins(view->of, origins);
    if (!view->norm) return;
    add_origins(view->norm->weight, origins);
    add_origins(view->norm->bias, origins);
    return;
  }
  if (!parameter.has_parts()) return origins.push_back(parameter);
  for (const Parameter& part : parameter.parts()) add_origins(part, origins);
}

}  // namespace

std::vector<Parameter> origins_of(const Parameter& parameter) {
  std::vector<Parameter> origins;
  add_origins(parameter, origins);
  return origins;
}

namespace {

void check_rows(const Parameter& parameter, std::int64_t first, std::int64_t count) {
  const std::int64_t rows = parameter.shape().rank() == 0 ? 1 : parameter.shape()[0];
  if (first < 0 || count < 0 || first > rows - count) {
    throw Error(ErrorCode::out_of_range, "'" + parameter.name() + "': found rows " + std::to_string(first) +
                                             " to " + std::to_string(first + count) + ", expected at most " +
                                             std::to_string(rows));
  }
}

}  // namespace

void Parameter::read_rows(std::int64_t first, std::int64_t count, float* out) const {
  check_rows(*this, first, count);
  const std::int64_t width = shape().elements_per_row();
  data_->source->read(first * width, count * width, out);
}

const float* Parameter::rows_in_place(std::int64_t first, std::int64_t count) const {
  check_rows(*this, first, count);
  const std::int64_t width = shape().elements_per_row();
  return data_->source->in_place(first * width, count * width);
}

std::vector<float> Parameter::read() const {
  std::vector<float> values(static_cast<std::size_t>(shape().elements()));
  data_->source->read(0, static_cast<std::int64_t>(values.size()), values.data());
  return values;
}

bool Parameter::read_rows_bf16(std::int64_t first, std::int64_t count, std::uint16_t* out) const {
  check_rows(*this, first, count);
  const std::int64_t width = shape().elements_per_row();
  return data_->source->read_bf16(first * width, count * width, out);
}

bool Parameter::read_rows_int8(std::int64_t first, std::int64_t count, std::int8_t* out,
                               float* scales) const {
  check_rows(*this, first, count);
  const std::int64_t width = shape().elements_per_row();
  return data_->source->read_int8(first * width, count * width, width, out, scales);
}

std::vector<StoredPiece> Parameter::pieces() const {
  return data_->source->pieces();
}

void Parameter::drop_pages() const {
  data_->source->drop_pages();
}

Parameter Parameter::rows(std::int64_t begin, std::int64_t end) const {
  check_rows(*this, begin, end - begin);
  std::vector<std::int64_t> extents{end - begin};
  for (std::size_t axis = 1; axis < shape().rank(); ++axis) extents.push_back(shape()[axis]);
  auto source = std::make_shared<OffsetSource>(data_->source, begin * shape().elements_per_row());
  const Parameter part(name() + "[" + std::to_string(begin) + ":" + std::to_string(end) + "]",
                       Shape(std::move(extents)), dtype(), std::move(source));
  return part.seen_as({*this, ParameterView::Kind::rows, begin});
}

Parameter Parameter::reshaped(Shape shape) const {
  if (shape.elements() != this->shape().elements()) {
    throw Error(ErrorCode::shape_mismatch,
                "'" + name() + "': cannot see " + to_string(this->shape()) + " as " + to_string(shape));
  }
  return Parameter(name(), std::move(shape), dtype(), data_->source)
      .seen_as({*this, ParameterView::Kind::reshaped});
}

Parameter Parameter::renamed(std::string name) const {
  return {std::move(name), shape(), dtype(), data_->source};
}

Parameter Parameter::transposed() const {
  if (shape().rank() != 2) {
    throw Error(ErrorCode::shape_mismatch,
                "'" + name() + "': found " + to_string(shape()) + ", expected a matrix");
  }
  const std::int64_t rows = shape()[0];
  const std::int64_t columns = shape()[1];
  const std::vector<float> values = read();
  std::vector<float> turned(values.size());
  for (std::int64_t row = 0; row < rows; ++row) {
    for (std::int64_t column = 0; column < columns; ++column) {
      turned[static_cast<std::size_t>(column * rows + row)] =
          values[static_cast<std::size_t>(row * columns + column)];
    }
  }
  drop_pages();
  return from_values(name(), {columns, rows}, std::move(turned))
      .seen_as({*this, ParameterView::Kind::transposed});
}

}  // namespace moa
