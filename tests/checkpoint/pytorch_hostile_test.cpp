// Archives and pickles made to mislead: each must be refused, with bounded memory, without touching a byte
// outside, and without ever running what they ask for.
#include <string>

#include <gtest/gtest.h>

#include "base/expect_error.hpp"
#include "checkpoint/pytorch_bytes.hpp"
#include "checkpoint/pytorch_file.hpp"
#include "checkpoint/zip_archive.hpp"

namespace moa {
namespace {

using testing::little;
using testing::pickle_of;
using testing::pickled;
using testing::pickled_dict;
using testing::pickled_tuple;
using testing::PickledTensorPieces;
using testing::pytorch_file;
using testing::pytorch_file_of;
using testing::ZipBuilder;

std::vector<StoredTensor> parse(const std::string& file) {
  return parse_pytorch(as_bytes(file), "test");
}
// What the whole pickle is, but for its first and last instruction.
std::vector<StoredTensor> parse_value(const std::string& value) {
  return parse(pytorch_file(pickle_of(value), std::string(16, '\0')));
}
std::vector<StoredTensor> parse_zip_and_take(const ZipBuilder& zip) {
  const std::string file = zip.bytes();
  ZipArchive::parse(as_bytes(file), "test").find("a");
  return {};
}

TEST(Pytorch, ReadsWhatTheTestsBuild) {
  EXPECT_EQ(parse(pytorch_file_of({})).at(0).shape, (Shape{2, 2}));
}

TEST(Pytorch, RefusesGlobalsThatAreNotOfTensors) {
  for (const char* global : {"cos\nsystem\n", "cposix\nsystem\n", "cbuiltins\neval\n", "c__builtin__\nexec\n",
                             "ctorch\nload\n", "cnumpy.core.multiarray\nscalar\n", "ctorch.FloatStorage\nx\n",
                             "c__torch__x\nA\n", "ctorch._utils\n_rebuild_tensor_v2.__globals__\n"}) {
    MOA_EXPECT_ERROR(parse_value(pickled_dict("w", std::string(global) + pickled_tuple(1) + "R")),
                     unsupported);
    MOA_EXPECT_ERROR(parse_value(std::string(global) + "0}"), unsupported);
  }
}

TEST(Pytorch, RefusesInstructionsThatTensorsDoNotNeed) {
  // INST, OBJ, EXT1, STACK_GLOBAL, STRING, INT, PERSID, POP, DUP, GET, FRAME, BYTEARRAY8, NEXT_BUFFER.
  for (const char* code : {"ios\nsystem\n", "o", "\x82\x01", "\x93", "S'a'\n", "I1\n", "P1\n", "0", "2",
                           "g0\n", "\x95", "\x96", "\x97", "\x92", "\xFF"}) {
    MOA_EXPECT_ERROR(parse_value(std::string("}") + code), unsupported);
  }
  MOA_EXPECT_ERROR(parse(pytorch_file("\x80\x04}.", "")), unsupported);
}

TEST(Pytorch, RejectsAPickleThatTakesWhatIsNotThere) {
  for (const char* value : {"",      "s",     "}s",  "}Ns",  "u",      "}(Nu",  "t",
                            "\x87",  "N\x86", "a",   "]a",   "e",      "R",     ")R",
                            "Q",     "b",     "}b",  "\x81", ")\x81",  "h\x01", "j\x01\x01\x01\x01",
                            "q\x01", "(",     "}(s", "}NNa", "]NNs",   "}(NNe", ")b",
                            "N)b",   "NNb",   "NR",  "}}R",  "}})\x81"}) {
    MOA_EXPECT_ERROR(parse_value(value), corrupt_data);
  }
  MOA_EXPECT_ERROR(parse(pytorch_file("", "")), corrupt_data);
  MOA_EXPECT_ERROR(parse(pytorch_file("\x80\x02}", "")), corrupt_data);
  MOA_EXPECT_ERROR(parse(pytorch_file("}X\xFF\xFF\xFF\xFF"
                                      "ab",
                                      "")),
                   corrupt_data);
  MOA_EXPECT_ERROR(parse(pytorch_file("}cos", "")), corrupt_data);
}

TEST(Pytorch, RejectsCallsWithOtherArguments) {
  const std::string rebuild = "ctorch._utils\n_rebuild_tensor_v2\n";
  for (const std::string& call :
       {rebuild + ")R", rebuild + pickled_tuple(1, 2, 3, 4) + "R", rebuild + "}R", rebuild + "NR",
        std::string("ctorch._utils\n_rebuild_parameter\n)R"),
        std::string("ctorch._utils\n_rebuild_parameter\n(Nt") + "R",
        std::string("ccollections\nOrderedDict\n") + pickled_tuple(1) + "R",
        std::string("ctorch.jit._pickle\nbuild_intlist\n)R"), std::string("ctorch\nFloatStorage\n)R"),
        std::string("c__torch__.A\nB\n)R"), std::string("ccollections\nOrderedDict\n)\x81"),
        std::string("c__torch__.A\nB\n}\x81"), pickled_tuple(1) + "Q", std::string("]Q"),
        "(" + pickled("module") + "NNNNtQ"}) {
    MOA_EXPECT_ERROR(parse_value(pickled_dict("w", call)), corrupt_data);
  }
}

TEST(Pytorch, RejectsStoragesThatDoNotHoldTheirTensors) {
  PickledTensorPieces tensor;
  tensor.elements = pickled(5);  // the entry has four
  MOA_EXPECT_ERROR(parse(pytorch_file_of(tensor)), corrupt_data);
  tensor.elements = pickled(-1);
  MOA_EXPECT_ERROR(parse(pytorch_file_of(tensor)), corrupt_data);
  tensor.elements = std::string("\x8A\x08") + "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x7F";
  MOA_EXPECT_ERROR(parse(pytorch_file_of(tensor)), corrupt_data);
  tensor.elements = std::string("\x8A\x09") + "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01";
  MOA_EXPECT_ERROR(parse(pytorch_file_of(tensor)), corrupt_data);
  tensor = {};
  tensor.elements = pickled(3);  // less than the tensor takes
  MOA_EXPECT_ERROR(parse(pytorch_file_of(tensor)), corrupt_data);
  tensor = {};
  tensor.type = "ctorch\nDoubleStorage\n";
  MOA_EXPECT_ERROR(parse(pytorch_file_of(tensor)), corrupt_data);
  tensor = {};
  tensor.key = pickled("1");
  MOA_EXPECT_ERROR(parse(pytorch_file_of(tensor)), corrupt_data);
  tensor.key = pickled("../data.pkl");
  MOA_EXPECT_ERROR(parse(pytorch_file_of(tensor)), corrupt_data);
  tensor.key = pickled(0);
  MOA_EXPECT_ERROR(parse(pytorch_file_of(tensor)), corrupt_data);
}

TEST(Pytorch, RejectsTensorsThatLeadOutOfTheirStorage) {
  const std::int32_t most = 0x7FFFFFFF;
  const auto with = [](std::string offset, std::string extents, std::string strides) {
    PickledTensorPieces tensor;
    tensor.offset = std::move(offset);
    tensor.extents = std::move(extents);
    tensor.strides = std::move(strides);
    return pytorch_file_of(tensor);
  };
  EXPECT_EQ(parse(with(pickled(0), pickled_tuple(2, 2), pickled_tuple(1, 2))).size(), 1u);
  for (const std::string& file :
       {with(pickled(1), pickled_tuple(2, 2), pickled_tuple(2, 1)),
        with(pickled(-1), pickled_tuple(2, 2), pickled_tuple(2, 1)),
        with(pickled(0), pickled_tuple(2, 2), pickled_tuple(3, 1)),
        with(pickled(0), pickled_tuple(2, 2), pickled_tuple(-2, 1)),
        with(pickled(0), pickled_tuple(-2, 2), pickled_tuple(2, 1)),
        with(pickled(0), pickled_tuple(2, 2), pickled_tuple(2)),
        with(pickled(0), pickled_tuple(5), pickled_tuple(1)),
        with(pickled(5), pickled_tuple(0), pickled_tuple(1)),
        with(pickled(0), pickled_tuple(most, most, most), pickled_tuple(0, 0, 0)),
        with(pickled(0), pickled_tuple(most, most, 2), pickled_tuple(most, most, most)),
        with(pickled(0), pickled("22"), pickled_tuple(2, 1)),
        with(pickled(0), "(" + pickled("2") + pickled(2) + "t", pickled_tuple(2, 1)),
        with(pickled(0), pickled_tuple(1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1),
             pickled_tuple(1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1))}) {
    MOA_EXPECT_ERROR(parse(file), corrupt_data);
  }
}

TEST(Pytorch, RefusesATensorThatRepeatsItsElements) {
  PickledTensorPieces tensor;
  tensor.extents = pickled_tuple(1 << 30, 2);
  tensor.strides = pickled_tuple(0, 1);
  MOA_EXPECT_ERROR(parse(pytorch_file_of(tensor)), unsupported);
}

TEST(Pytorch, RefusesATypeThatItDoesNotReadOnlyWhenAsked) {
  PickledTensorPieces tensor;
  tensor.type = "ctorch\nCharStorage\n";
  EXPECT_EQ(parse(pytorch_file_of(tensor)).at(0).dtype, std::nullopt);
}

TEST(Pytorch, RejectsNamesThatStandTwice) {
  const std::string entry = pickled("w") + PickledTensorPieces{}.bytes() + "s";
  MOA_EXPECT_ERROR(parse_value("}" + entry + entry), corrupt_data);
}

TEST(Pytorch, RefusesEntriesThatAreNoTensors) {
  MOA_EXPECT_ERROR(parse_value(pickled_dict("w", "N")), unsupported);
  MOA_EXPECT_ERROR(parse_value(pickled_dict("w", "}")), unsupported);
  MOA_EXPECT_ERROR(parse_value("}N" + PickledTensorPieces{}.bytes() + "s"), unsupported);
  MOA_EXPECT_ERROR(parse_value("N"), unsupported);
}

TEST(Pytorch, LimitsAPickleThatDoesNotEnd) {
  MOA_EXPECT_ERROR(parse(pytorch_file(std::string((16u << 20) + 1, '('), "")), limit_exceeded);
  MOA_EXPECT_ERROR(parse_value(std::string(3u << 20, 'N')), limit_exceeded);
  MOA_EXPECT_ERROR(parse_value(std::string(8u << 20, '(')), corrupt_data);
}

TEST(Pytorch, RejectsAStateDictInsideItself) {
  MOA_EXPECT_ERROR(parse_value("}q\x01" + pickled("w") + "h\x01s"), unsupported);
}

// A TorchScript object with the attributes `attributes`, a piece of a pickle that fills a dict.
std::string record(const std::string& attributes) {
  return "c__torch__.A\nB\n)\x81}" + attributes + "b";
}

TEST(Pytorch, LimitsObjectsThatNestTooDeepOrInThemselves) {
  std::string deep = record("");
  for (int i = 0; i < 1000; ++i) deep = "c__torch__.A\nB\n)\x81}" + pickled("a") + deep + "sb";
  MOA_EXPECT_ERROR(parse_value(deep), limit_exceeded);
  MOA_EXPECT_ERROR(parse_value("c__torch__.A\nB\n)\x81q\x01}" + pickled("a") + "h\x01sb"), limit_exceeded);
}

TEST(Pytorch, LimitsObjectsThatPretendToBeVeryMany) {
  // Each object holds the one before it twice: 2^60 ways lead to the first.
  std::string chain = "(" + record("") + "q\x01";
  for (int i = 0; i < 60; ++i) chain += record(pickled("a") + "h\x01s" + pickled("b") + "h\x01s") + "q\x01";
  MOA_EXPECT_ERROR(parse_value(chain + "th\x01"), limit_exceeded);
}

TEST(Pytorch, LimitsNamesOfManyMegabytes) {
  MOA_EXPECT_ERROR(parse_value(pickled_dict(std::string(2000, 'n'), PickledTensorPieces{}.bytes())),
                   limit_exceeded);
}

TEST(Pytorch, RefusesNumbersOfAnotherByteOrder) {
  MOA_EXPECT_ERROR(parse(ZipBuilder().add("a/data.pkl", pickle_of("}")).add("a/byteorder", "big").bytes()),
                   unsupported);
  EXPECT_TRUE(
      parse(ZipBuilder().add("a/data.pkl", pickle_of("}")).add("a/byteorder", "little").bytes()).empty());
}

TEST(Pytorch, RejectsAnArchiveWithoutOrWithTwoPickles) {
  MOA_EXPECT_ERROR(parse(ZipBuilder().add("data.pkl", pickle_of("}")).bytes()), corrupt_data);
  MOA_EXPECT_ERROR(parse(ZipBuilder().add("a/b/data.pkl", pickle_of("}")).bytes()), corrupt_data);
  MOA_EXPECT_ERROR(
      parse(ZipBuilder().add("a/data.pkl", pickle_of("}")).add("b/data.pkl", pickle_of("}")).bytes()),
      corrupt_data);
}

TEST(Zip, RefusesWhatIsCompressedOrEncrypted) {
  ZipBuilder deflated;
  deflated.method = 8;
  MOA_EXPECT_ERROR(parse_zip_and_take(deflated.add("a", "content")), unsupported);
  ZipBuilder encrypted;
  encrypted.flags = 1;
  MOA_EXPECT_ERROR(parse_zip_and_take(encrypted.add("a", "content")), unsupported);
}

TEST(Zip, RejectsEntriesThatLeadOutOfTheFileOrOverEachOther) {
  const auto with = [](auto change) {
    ZipBuilder zip;
    zip.add("b", "content");
    change(zip);
    zip.add("a", "content");
    return zip;
  };
  EXPECT_NO_THROW(parse_zip_and_take(with([](ZipBuilder&) {})));
  MOA_EXPECT_ERROR(parse_zip_and_take(with([](ZipBuilder& zip) { zip.extra_size = 1; })), corrupt_data);
  MOA_EXPECT_ERROR(parse_zip_and_take(with([](ZipBuilder& zip) { zip.extra_size = 0x7FFFFFFF; })),
                   corrupt_data);
  MOA_EXPECT_ERROR(parse_zip_and_take(with([](ZipBuilder& zip) { zip.extra_begin = 1; })), corrupt_data);
  MOA_EXPECT_ERROR(parse_zip_and_take(with([](ZipBuilder& zip) { zip.extra_begin = 0x7FFFFFFF; })),
                   corrupt_data);
  MOA_EXPECT_ERROR(parse_zip_and_take(with([](ZipBuilder& zip) {
                     zip.extra_begin = 0u - static_cast<std::uint32_t>(30 + 1 + 7);  // onto "b"
                   })),
                   corrupt_data);
  MOA_EXPECT_ERROR(parse_zip_and_take(with([](ZipBuilder& zip) { zip.extra_count = 1; })), corrupt_data);
  MOA_EXPECT_ERROR(parse_zip_and_take(with([](ZipBuilder& zip) { zip.extra_count = 0xFFFF; })), corrupt_data);
  MOA_EXPECT_ERROR(parse_zip_and_take(with([](ZipBuilder& zip) { zip.extra_directory = 1; })), corrupt_data);
  MOA_EXPECT_ERROR(parse_zip_and_take(with([](ZipBuilder& zip) { zip.extra_directory = 0x70000000; })),
                   corrupt_data);
  MOA_EXPECT_ERROR(parse_zip_and_take(with([](ZipBuilder& zip) {
                     zip.extra = little<std::uint16_t>(1) + little<std::uint16_t>(60000);
                   })),
                   corrupt_data);
}

TEST(Zip, RejectsNamesThatStandTwice) {
  MOA_EXPECT_ERROR(parse_zip_and_take(ZipBuilder().add("a", "x").add("a", "y")), corrupt_data);
}

TEST(Zip, TakesACommentForNoDirectory) {
  ZipBuilder zip;
  zip.comment = std::string("PK\x05\x06") + std::string(40, 'x');
  EXPECT_NO_THROW(parse_zip_and_take(zip.add("a", "content")));
}

TEST(Zip, ReadsWhereZip64SaysAnEntryIs) {
  // The directory states 0xFFFFFFFF, and the true place in an extra field.
  ZipBuilder zip;
  zip.add("b", "content");
  zip.extra_begin = 0xFFFFFFFF - (30 + 1 + 7);
  zip.extra = little<std::uint16_t>(1) + little<std::uint16_t>(8) + little<std::uint64_t>(30 + 1 + 7);
  zip.add("a", "CONTENT");
  const std::string file = zip.bytes();
  EXPECT_EQ(as_text(*ZipArchive::parse(as_bytes(file), "test").find("a")), "CONTENT");
}

TEST(Zip, ReadsWhereZip64SaysTheDirectoryIs) {
  const std::string plain = ZipBuilder().add("a", "content").bytes();
  const std::size_t end = plain.size() - 22;
  std::uint32_t directory = 0;
  std::uint32_t size = 0;
  std::memcpy(&size, plain.data() + end + 12, 4);
  std::memcpy(&directory, plain.data() + end + 16, 4);
  const auto with = [&](std::uint64_t count, std::uint64_t record_at) {
    return plain.substr(0, end) + "PK\x06\x06" + little<std::uint64_t>(44) + std::string(20, '\0') +
           little(count) + little<std::uint64_t>(size) + little<std::uint64_t>(directory) + "PK\x06\x07" +
           little<std::uint32_t>(0) + little(record_at) + little<std::uint32_t>(1) + "PK\x05\x06" +
           std::string(4, '\0') + std::string(12, '\xFF') + little<std::uint16_t>(0);
  };
  const auto find = [](const std::string& file) {
    return std::string(as_text(*ZipArchive::parse(as_bytes(file), "test").find("a")));
  };
  EXPECT_EQ(find(with(1, end)), "content");
  MOA_EXPECT_ERROR(find(with(1, end + 1)), corrupt_data);
  MOA_EXPECT_ERROR(find(with(1, ~std::uint64_t{0})), corrupt_data);
  MOA_EXPECT_ERROR(find(with(~std::uint64_t{0}, end)), corrupt_data);
}

}  // namespace
}  // namespace moa
