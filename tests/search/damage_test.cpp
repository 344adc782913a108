// Files that are damaged, forged, or somebody else's.
#include <sqlite3.h>

#include <unistd.h>

#include "search/scene.hpp"

namespace moa::search {
namespace {

using Damage = CollectionTest;
using Strings = std::vector<std::string>;

void run_sql(const std::filesystem::path& file, const char* sql) {
  sqlite3* database = nullptr;
  ASSERT_EQ(sqlite3_open(file.c_str(), &database), SQLITE_OK);
  char* message = nullptr;
  EXPECT_EQ(sqlite3_exec(database, sql, nullptr, nullptr, &message), SQLITE_OK) << message;
  sqlite3_close(database);
}

void overwrite(const std::filesystem::path& file, std::streamoff at, const std::string& bytes) {
  std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
  stream.seekp(at);
  stream << bytes;
}

std::filesystem::path vectors_of(const std::filesystem::path& file) {
  return file.string() + ".vectors";
}

class Damaged : public CollectionTest {
 protected:
  void SetUp() override {
    CollectionTest::SetUp();
    for (int i = 0; i < 20; ++i) write(photos_ / std::to_string(i), "picture " + std::to_string(i));
    update();
  }
  ErrorCode opening() {
    return code_of([&] { open(); });
  }
  // --reindex must get the user out of it.
  void expect_repairable() {
    Opened opened = open(Collection::Mode::create_anew);
    EXPECT_EQ(update(opened).added, 20u);
    EXPECT_TRUE(Collection::inspect(file_).problems.empty());
    EXPECT_EQ(search(open(), "picture 7").front(), "7");
  }
};

TEST_F(Damage, RefusesToOpenWhatIsNotThere) {
  EXPECT_EQ(code_of([&] { open(Collection::Mode::open_existing); }), ErrorCode::not_found);
  EXPECT_EQ(code_of([&] { Collection::inspect(file_); }), ErrorCode::not_found);
  EXPECT_FALSE(Collection::is_collection(file_));
  EXPECT_FALSE(Collection::is_collection(photos_));
}

TEST_F(Damage, NeverReplacesAFileThatIsNoIndex) {
  write(file_, "a letter to my mother, long enough to be looked at");
  EXPECT_FALSE(Collection::is_collection(file_));
  EXPECT_EQ(code_of([&] { open(); }), ErrorCode::corrupt_data);
  Opened anew = open(Collection::Mode::create_anew);
  EXPECT_EQ(code_of([&] { update(anew); }), ErrorCode::corrupt_data);
  EXPECT_EQ(read(file_), "a letter to my mother, long enough to be looked at");
  EXPECT_FALSE(std::filesystem::exists(vectors_of(file_)));
}

TEST_F(Damage, NeverReplacesAnotherProgramsDatabase) {
  std::filesystem::create_directories(file_.parent_path());
  run_sql(file_, "CREATE TABLE bookmarks (url TEXT)");
  const std::string before = read(file_);
  EXPECT_EQ(code_of([&] { open(); }), ErrorCode::corrupt_data);
  Opened anew = open(Collection::Mode::create_anew);
  EXPECT_EQ(code_of([&] { update(anew); }), ErrorCode::corrupt_data);
  EXPECT_EQ(read(file_), before);
}

TEST_F(Damage, NeverReplacesAFileThatIsNamedAsItsVectorsWouldBe) {
  write(vectors_of(file_), "drawings");
  Opened opened = open();
  EXPECT_EQ(code_of([&] { update(opened); }), ErrorCode::corrupt_data);
  EXPECT_EQ(read(vectors_of(file_)), "drawings");
}

TEST_F(Damaged, RefusesAnotherModelsVectorsUnlessMadeAnew) {
  const Target other = {"other", "fedcba", kDim};
  EXPECT_EQ(code_of([&] { open(Collection::Mode::open_or_create, other); }), ErrorCode::model_mismatch);
  const Target shorter = {"fake", target().model_identity, kDim - 1};
  EXPECT_EQ(code_of([&] { open(Collection::Mode::open_or_create, shorter); }), ErrorCode::model_mismatch);
  Opened anew = open(Collection::Mode::create_anew, other);
  EXPECT_EQ(update(anew).added, 20u);
  EXPECT_EQ(opening(), ErrorCode::model_mismatch);
  EXPECT_EQ(open(Collection::Mode::open_existing, other).size(), 20u);
}

TEST_F(Damaged, KeepsWhatWasThereWhenMakingItAnewFails) {
  const Target other = {"other", "fedcba", kDim};
  Embedder failing = model_.embedder();
  failing.embed = [](std::span<const std::string>, const Embedder::Deliver&) {
    throw Error(ErrorCode::not_found, "no model");
  };
  {
    Opened anew = open(Collection::Mode::create_anew, other);
    const std::vector<std::filesystem::path> places = {photos_};
    EXPECT_EQ(code_of([&] { anew.update(places, failing, {}); }), ErrorCode::not_found);
  }
  EXPECT_EQ(open(Collection::Mode::open_existing).size(), 20u);
  EXPECT_TRUE(Collection::inspect(file_).problems.empty());
}

TEST_F(Damaged, RefusesMissingVectors) {
  std::filesystem::remove(vectors_of(file_));
  EXPECT_EQ(opening(), ErrorCode::corrupt_data);
  EXPECT_EQ(Collection::inspect(file_).problems.size(), 1u);
  expect_repairable();
}

TEST_F(Damaged, RefusesVectorsThatWereCutShort) {
  const std::string whole = read(vectors_of(file_));
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{1}, std::size_t{4095}, std::size_t{4096}, whole.size() - 1}) {
    write(vectors_of(file_), whole.substr(0, size));
    EXPECT_EQ(opening(), ErrorCode::corrupt_data) << size;
    EXPECT_EQ(Collection::inspect(file_).problems.size(), 1u) << size;
  }
  expect_repairable();
}

TEST_F(Damaged, RefusesADamagedHeaderOfTheVectors) {
  const std::string whole = read(vectors_of(file_));
  for (const std::streamoff at : {0, 17, 21, 25, 41, 2000, 4070, 4095}) {
    write(vectors_of(file_), whole);
    overwrite(vectors_of(file_), at, "\xee");
    EXPECT_EQ(opening(), ErrorCode::corrupt_data) << at;
  }
  expect_repairable();
}

TEST_F(Damaged, RefusesAnotherIndexesVectors) {
  const std::filesystem::path first = file_;
  file_ = folder_ / "data/second.sqlite";
  update();
  std::filesystem::copy_file(vectors_of(first), vectors_of(file_),
                             std::filesystem::copy_options::overwrite_existing);
  EXPECT_EQ(opening(), ErrorCode::corrupt_data);
  expect_repairable();
}

TEST_F(Damaged, RefusesForgedCatalogues) {
  const std::string sound = read(file_);
  for (const char* sql : {
           "UPDATE items SET row = 20 WHERE inside = CAST('7' AS BLOB)",
           "UPDATE items SET row = -1 WHERE inside = CAST('7' AS BLOB)",
           "UPDATE items SET hash = 'short' WHERE inside = CAST('7' AS BLOB)",
           "UPDATE items SET place = 99 WHERE inside = CAST('7' AS BLOB)",
           "UPDATE heading SET dim = 0",
           "UPDATE heading SET dim = 1 << 40",
           "UPDATE heading SET rows = 1 << 60",
           "UPDATE heading SET generation = zeroblob(16)",
           "UPDATE heading SET generation = zeroblob(2000000)",
           "UPDATE heading SET model_identity = printf('%.*c', 300, 'x')",
           "DELETE FROM heading",
           "DROP TABLE places",
           "CREATE TABLE more (x)",
           "CREATE TRIGGER t AFTER INSERT ON items BEGIN DELETE FROM items; END",
           "DROP TABLE places; CREATE VIEW places AS SELECT 1 AS id, x'2f' AS canonical, x'2f' AS spelling",
           "ALTER TABLE items ADD COLUMN blown BLOB AS (zeroblob(900000000))",
           "PRAGMA application_id = 7",
       }) {
    write(file_, sound);
    run_sql(file_, sql);
    EXPECT_EQ(opening(), ErrorCode::corrupt_data) << sql;
  }
  write(file_, sound);
  run_sql(file_, "PRAGMA user_version = 2");
  EXPECT_EQ(opening(), ErrorCode::unsupported);
}

TEST_F(Damaged, SurvivesDamagedPagesOfTheCatalogue) {
  const std::string sound = read(file_);
  for (std::size_t at = 100; at < sound.size(); at += 61) {
    write(file_, sound);
    overwrite(file_, static_cast<std::streamoff>(at), "\xff\x81\x7f\x03");
    try {
      search(open(), "picture 7");  // what is not noticed must at least do no harm
    } catch (const Error& error) {
      EXPECT_TRUE(error.code() == ErrorCode::corrupt_data || error.code() == ErrorCode::model_mismatch)
          << at << ": " << error.what();
    }
  }
  write(file_, sound.substr(0, sound.size() / 2));
  EXPECT_EQ(opening(), ErrorCode::corrupt_data);
  expect_repairable();
}

TEST_F(Damaged, FinishesWhatWasKilledBetweenCommitAndRenaming) {
  // As a writer leaves it that was killed there: the catalogue names the new generation, the old file still
  // has the name.
  std::filesystem::rename(vectors_of(file_), vectors_of(file_).string() + ".new");
  for (const bool old_is_there : {false, true}) {
    if (old_is_there)
      write(vectors_of(file_), read(vectors_of(file_).string() + ".new").replace(24, 16, 16, 'x'));
    EXPECT_EQ(search(open(), "picture 7").front(), "7");
    EXPECT_TRUE(Collection::inspect(file_).problems.empty());
  }
  write(photos_ / "20", "picture 20");
  EXPECT_EQ(update().added, 1u);
  EXPECT_FALSE(std::filesystem::exists(vectors_of(file_).string() + ".new"));
  EXPECT_EQ(open().size(), 21u);
}

TEST_F(Damaged, IgnoresRowsThatNoItemNames) {
  std::ofstream(vectors_of(file_), std::ios::app | std::ios::binary) << std::string(1000, 'x');
  EXPECT_TRUE(Collection::inspect(file_).problems.empty());
  write(photos_ / "20", "picture 20");
  EXPECT_EQ(update().added, 1u);
  EXPECT_EQ(search(open(), "picture 20").front(), "20");
}

TEST_F(Damaged, RewritesTheVectorsWhenMostRowsAreUnused) {
  {
    const std::unique_ptr<Writer> writer =
        Writer::try_begin(StoreFiles(file_), target(), Writer::Start::from_what_is_there);
    writer->append(std::vector<float>(5000 * kDim));
    writer->commit({});
  }
  EXPECT_EQ(Collection::inspect(file_).rows, 5020u);
  const Opened before = open();
  write(photos_ / "20", "picture 20");
  EXPECT_EQ(update().added, 1u);
  EXPECT_EQ(Collection::inspect(file_).rows, 21u);
  EXPECT_TRUE(Collection::inspect(file_).problems.empty());
  for (const char* i : {"0", "7", "20"}) {
    EXPECT_EQ(search(open(), std::string("picture ") + i).front(), i);
  }
  EXPECT_EQ(search(before, "picture 7").front(), "7");  // who had it open sees what was there
}

}  // namespace
}  // namespace moa::search
